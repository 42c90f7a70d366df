/** What strict JSON text parses to. Objects are plain; no value of this type is ever changed in place outside the function that made it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: JsonValue;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values are the same JSON: members in any order, numbers by value. As deep as the values, which parsers bound. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(member(a, name), member(b, name)))
  );
}

/** Shares nothing with its argument. As deep as the value. */
export function cloneJson(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneJson);
  // Spread makes every name an own member, `__proto__` too; the assignments below find them there.
  const copy: Record<string, JsonValue> = { ...(value as JsonObject) };
  for (const name of Object.keys(copy)) copy[name] = cloneJson(member(copy, name));
  return copy;
}

/** The value of a member that is known to be there. */
export function member(object: JsonObject, name: string): JsonValue {
  return object[name] as JsonValue;
}
