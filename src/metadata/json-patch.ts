import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { measureJson, requireWithinBounds } from './json-measure.ts';
import { formatPointer, type PointerPath } from './json-pointer.ts';
import { cloneJson, isJsonObject, type JsonValue, sameJson } from './json-value.ts';
import type { JsonPatch, PatchOperation } from './patch-operation.ts';
import { type JsonBounds, metadataBounds } from './strict-json.ts';

/**
 * Applies a JSON Patch (RFC 6902) to a copy: all of it or nothing, and neither argument is changed.
 * What copy and move carry is bounded by `limits.patchCarriedMax` before it is carried, and depth after each operation, so that
 * no patch makes more on its way than its end may be. Own code, because of what was tried: fast-json-patch 3.1.1 and rfc6902 5.4.0
 * take `~2` and copy what objects inherit, the first adds at the index "01", the second leaves its argument half changed.
 * @throws QuasarError `patch_failed`, `details.operation` being the index and `details.path` the pointer of what failed;
 * `metadata_too_large` for what is beyond the bounds.
 */
export function applyPatch(document: JsonValue, patch: JsonPatch, bounds: JsonBounds = metadataBounds): JsonValue {
  const work = new PatchWork(document, bounds.depth);
  for (const [index, operation] of patch.entries()) {
    try {
      work.apply(operation);
    } catch (fault) {
      throw fault instanceof Fault ? failed(index, fault) : fault;
    }
  }
  requireWithinBounds(work.result, op, bounds);
  return work.result;
}

/** Only ever our own copy: what may be written to. */
type Container = JsonValue[] | Record<string, JsonValue>;

class PatchWork {
  /** The document is a member like any other, so that the empty pointer is no special case. */
  readonly #holder: Record<string, JsonValue>;
  readonly #depthMax: number;
  #carried = 0;

  constructor(document: JsonValue, depthMax: number) {
    this.#holder = { [ROOT]: cloneJson(document) };
    this.#depthMax = depthMax;
  }

  get result(): JsonValue {
    return this.#holder[ROOT] as JsonValue;
  }

  apply(operation: PatchOperation): void {
    switch (operation.op) {
      case 'add':
        this.#add(operation.path, cloneJson(operation.value));
        return;
      case 'replace':
        this.#replace(operation.path, cloneJson(operation.value));
        return;
      case 'remove':
        this.#remove(operation.path);
        return;
      case 'move':
        this.#move(operation.from, operation.path);
        return;
      case 'copy':
        this.#carry(operation.from);
        this.#add(operation.path, cloneJson(this.#get(operation.from)));
        return;
      case 'test':
        if (!sameJson(this.#get(operation.path), operation.value)) throw new Fault(operation.path, 'is not what the test says');
    }
  }

  #get(path: PointerPath): JsonValue {
    const { container, key } = this.#existing(path);
    return (container as Record<string | number, JsonValue>)[key] as JsonValue;
  }

  #add(path: PointerPath, value: JsonValue): void {
    this.#requireDepth(path, value);
    const { container, name } = this.#parentOf(path);
    if (!Array.isArray(container)) container[name] = value;
    else container.splice(name === '-' ? container.length : indexIn(name, container.length, path), 0, value);
  }

  #replace(path: PointerPath, value: JsonValue): void {
    this.#requireDepth(path, value);
    const { container, key } = this.#existing(path);
    (container as Record<string | number, JsonValue>)[key] = value;
  }

  #remove(path: PointerPath): void {
    if (path.length === 0) throw new Fault(path, 'is the whole document and cannot be removed');
    const { container, key } = this.#existing(path);
    if (Array.isArray(container)) container.splice(key as number, 1);
    else delete container[key];
  }

  #move(from: PointerPath, path: PointerPath): void {
    const value = this.#get(from);
    const inside = from.every((name, index) => name === path[index]);
    if (inside && from.length === path.length) return;
    if (inside) throw new Fault(from, 'cannot be moved into itself');
    this.#carry(from);
    this.#remove(from);
    this.#add(path, value);
  }

  /** Where an existing value stands: an index or a name that is there. */
  #existing(path: PointerPath): { container: Container; key: string | number } {
    const { container, name } = this.#parentOf(path);
    if (Array.isArray(container)) return { container, key: indexIn(name, container.length - 1, path) };
    if (!Object.hasOwn(container, name)) throw new Fault(path, 'does not exist');
    return { container, key: name };
  }

  #parentOf(path: PointerPath): { container: Container; name: string } {
    let container: Container = this.#holder;
    let name: string = ROOT;
    for (const [depth, next] of path.entries()) {
      const here = path.slice(0, depth);
      if (!Array.isArray(container) && !Object.hasOwn(container, name)) throw new Fault(here, 'does not exist');
      const key = Array.isArray(container) ? indexIn(name, container.length - 1, here) : name;
      const value = (container as Record<string | number, JsonValue>)[key] as JsonValue;
      if (!Array.isArray(value) && !isJsonObject(value)) throw new Fault(here, 'is neither an object nor an array');
      container = value as Container;
      name = next;
    }
    return { container, name };
  }

  #carry(from: PointerPath): void {
    this.#carried += measureJson(this.#get(from)).size;
    if (this.#carried > limits.patchCarriedMax) {
      throw new Fault(
        from,
        `is too much: a patch copies and moves at most ${limits.patchCarriedMax} bytes`,
        'metadata_too_large',
      );
    }
  }

  #requireDepth(path: PointerPath, value: JsonValue): void {
    if (path.length + measureJson(value).depth <= this.#depthMax) return;
    throw new Fault(path, `would be deeper than ${this.#depthMax} levels`, 'metadata_too_large');
  }
}

/** Why an operation fails, before its index is known. `reason` ends a sentence about the path. */
class Fault extends Error {
  readonly path: PointerPath;
  readonly code: 'patch_failed' | 'metadata_too_large';

  constructor(path: PointerPath, reason: string, code: 'patch_failed' | 'metadata_too_large' = 'patch_failed') {
    super(reason);
    this.path = path;
    this.code = code;
  }
}

function failed(index: number, fault: Fault): QuasarError {
  const path = formatPointer(fault.path);
  const what = path === '' ? 'the document' : path;
  return new QuasarError(fault.code, {
    op,
    message: `Operation ${index} of the patch: ${what} ${fault.message}.`,
    details: { operation: index, path },
  });
}

function indexIn(name: string, indexMax: number, path: PointerPath): number {
  if (name === '-') throw new Fault(path, 'is beyond the end of its array');
  if (!/^(?:0|[1-9][0-9]*)$/.test(name)) throw new Fault(path, 'has no index of an array at its end');
  const index = Number(name);
  if (index > indexMax) throw new Fault(path, 'is beyond the end of its array');
  return index;
}

const ROOT = 'document';
const op = 'metadata.applyPatch';
