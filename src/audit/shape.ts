import { isId } from '../core/ids.ts';
import { isTimestamp } from './timestamp.ts';

/** Says what is wrong with a value, as a clause ("is no time"); undefined when nothing is. */
export type Check = (value: unknown) => string | undefined;

/** An object with these members and no others; those in `optional` may be absent. */
export function members(required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check {
  const checks = new Map(Object.entries({ ...required, ...optional }));
  return (value) => {
    if (!isObject(value)) return 'is no object';
    const missing = Object.keys(required).find((name) => !Object.hasOwn(value, name));
    if (missing !== undefined) return `has no ${missing}`;
    for (const [name, member] of Object.entries(value)) {
      const check = checks.get(name);
      if (check === undefined) return `has an unknown member ${JSON.stringify(name.slice(0, 64))}`;
      const wrong = check(member);
      if (wrong !== undefined) return `${name} ${wrong}`;
    }
    return undefined;
  };
}

export function oneOf(values: readonly unknown[]): Check {
  return (value) => (values.includes(value) ? undefined : 'has a value this version does not know');
}

export function matching(pattern: RegExp): Check {
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : 'is not written as it must be');
}

export const uuid: Check = (value) => (typeof value === 'string' && isId(value) ? undefined : 'is no lower-case UUID');

export const timestamp: Check = (value) =>
  typeof value === 'string' && isTimestamp(value) ? undefined : 'is no time in UTC with milliseconds';

/** At most so many, each as `item` has it. */
export function listOf(item: Check, lengthMax: number): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length > lengthMax) return 'is no list of the length it may have';
    for (const [index, one] of value.entries()) {
      const wrong = item(one);
      if (wrong !== undefined) return `[${index}] ${wrong}`;
    }
    return undefined;
  };
}

/** A whole number from `min` on, below 2^53. */
export function count(min: number): Check {
  return (value) => (Number.isSafeInteger(value) && (value as number) >= min ? undefined : `is no whole number from ${min}`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
