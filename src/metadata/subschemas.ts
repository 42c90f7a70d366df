import { formatPointer } from './json-pointer.ts';
import { isJsonObject, type JsonObject, type JsonValue, member } from './json-value.ts';
import { schemaInvalid } from './schema-fault.ts';
import { plainKeywords, rootKeywords, type SubschemaKeyword, subschemaKeywords } from './schema-keywords.ts';

/** One schema within a schema. */
export interface Subschema {
  readonly path: readonly string[];
  /** No members for `true` and `false`. */
  readonly object: JsonObject;
  /** Pointers of the subschemas that apply to the same value. */
  readonly here: readonly string[];
}

/**
 * All schemas within a schema, itself included, by pointer. What stands in `const`, `default` and the like is data.
 * @throws QuasarError `schema_invalid` for a keyword we do not know, or a value that is no schema where one must be.
 */
export function collectSubschemas(root: JsonValue): ReadonlyMap<string, Subschema> {
  const found = new Map<string, Subschema>();
  collect(root, [], found);
  return found;
}

function collect(value: JsonValue, path: readonly string[], found: Map<string, Subschema>): void {
  if (typeof value !== 'boolean' && !isJsonObject(value))
    throw schemaInvalid(path, 'A schema is wanted here, an object or a boolean.');
  const object = isJsonObject(value) ? value : {};
  const here: string[] = [];
  found.set(formatPointer(path), { path, object, here });
  for (const name of Object.keys(object)) {
    const keyword = subschemaKeywords.get(name);
    if (keyword === undefined) {
      if (!plainKeywords.has(name) && !(path.length === 0 && rootKeywords.has(name))) throw unknownKeyword(path, name);
      continue;
    }
    for (const below of placesIn(object, name, { keyword, path })) {
      collect(below.value, below.path, found);
      if (keyword.applies === 'here') here.push(formatPointer(below.path));
    }
  }
}

function placesIn(object: JsonObject, name: string, { keyword, path }: { keyword: SubschemaKeyword; path: readonly string[] }) {
  const value = member(object, name);
  const here = [...path, name];
  if (keyword.shape === 'one') return [{ value, path: here }];
  const fits = keyword.shape === 'list' ? Array.isArray(value) : isJsonObject(value);
  if (!fits) throw schemaInvalid(here, `A ${keyword.shape} of schemas is wanted here.`);
  return Object.entries(value as object).map(([key, item]: [string, JsonValue]) => ({ value: item, path: [...here, key] }));
}

function unknownKeyword(path: readonly string[], name: string) {
  const reason = rootKeywords.has(name)
    ? 'may stand only where the schema begins'
    : 'is no keyword of JSON Schema 2020-12 that is taken here';
  return schemaInvalid([...path, name], `"${name.slice(0, 80)}" ${reason}.`);
}
