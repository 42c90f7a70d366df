import { parsePointer } from './json-pointer.ts';
import { schemaInvalid } from './schema-fault.ts';
import type { Subschema } from './subschemas.ts';
import { TextFault } from './text-fault.ts';

/**
 * References may lead anywhere within the schema and nowhere else. Recursion is taken when each round goes one level
 * deeper into the data, whose depth is bounded; a round that stays at the same value would never end.
 * @throws QuasarError `schema_invalid` with the place of the reference.
 */
export function checkReferences(schemas: ReadonlyMap<string, Subschema>): void {
  const anchors = anchorsOf(schemas);
  const next = new Map<string, readonly string[]>();
  for (const [pointer, schema] of schemas) {
    const target = targetOf(schema, { schemas, anchors });
    next.set(pointer, target === undefined ? schema.here : [...schema.here, target]);
  }
  refuseEndlessRounds(schemas, next);
}

function anchorsOf(schemas: ReadonlyMap<string, Subschema>): ReadonlyMap<string, string> {
  const anchors = new Map<string, string>();
  for (const [pointer, { path, object }] of schemas) {
    const { $anchor: anchor } = object;
    if (anchor === undefined) continue;
    if (typeof anchor !== 'string' || !ANCHOR.test(anchor))
      throw schemaInvalid([...path, '$anchor'], 'This is no name of an anchor.');
    if (anchors.has(anchor)) throw schemaInvalid([...path, '$anchor'], 'The anchor is there twice.');
    anchors.set(anchor, pointer);
  }
  return anchors;
}

interface Targets {
  readonly schemas: ReadonlyMap<string, Subschema>;
  readonly anchors: ReadonlyMap<string, string>;
}

function targetOf({ path, object }: Subschema, { schemas, anchors }: Targets): string | undefined {
  const { $ref: reference } = object;
  if (reference === undefined) return undefined;
  const place = [...path, '$ref'];
  if (typeof reference !== 'string' || !reference.startsWith('#')) {
    throw schemaInvalid(place, 'A reference begins with "#": a schema refers to nothing outside itself.');
  }
  const fragment = decoded(reference.slice(1));
  const target = fragment === '' || fragment?.startsWith('/') === true ? fragment : anchors.get(fragment ?? '');
  const found = target !== undefined && !(parsePointer(target) instanceof TextFault) && schemas.has(target);
  if (!found) throw schemaInvalid(place, 'The reference leads to no schema.');
  return target;
}

function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch (cause) {
    if (cause instanceof URIError) return undefined;
    throw cause;
  }
}

/** Depth first without recursion: a schema may be a chain of thousands of references. */
function refuseEndlessRounds(schemas: ReadonlyMap<string, Subschema>, next: ReadonlyMap<string, readonly string[]>): void {
  const done = new Set<string>();
  const open = new Set<string>();
  for (const start of schemas.keys()) {
    const stack = [start];
    for (let pointer = stack.at(-1); pointer !== undefined; pointer = stack.at(-1)) {
      if (open.has(pointer) || done.has(pointer)) {
        stack.pop();
        open.delete(pointer);
        done.add(pointer);
        continue;
      }
      open.add(pointer);
      for (const target of next.get(pointer) ?? []) {
        if (open.has(target))
          throw schemaInvalid(schemas.get(target)?.path ?? [], 'The schema refers to itself without going deeper into the data.');
        if (!done.has(target)) stack.push(target);
      }
    }
  }
}

const ANCHOR = /^[A-Za-z_][A-Za-z0-9._-]*$/;
