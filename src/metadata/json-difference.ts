import { formatPointer } from './json-pointer.ts';
import { isJsonObject, type JsonValue, member, sameJson } from './json-value.ts';
import type { MetadataFault } from './metadata-fault.ts';

/** Where two values differ, at most `max` places, in the order of the wanted one: what is missing, added or changed. */
export function differencesOf(wanted: JsonValue, actual: JsonValue, max: number): readonly MetadataFault[] {
  const found: MetadataFault[] = [];
  compare({ wanted, actual, path: [] }, { found, max });
  return found;
}

interface Pair {
  readonly wanted: JsonValue | undefined;
  readonly actual: JsonValue | undefined;
  readonly path: readonly (string | number)[];
}

function compare({ wanted, actual, path }: Pair, report: { readonly found: MetadataFault[]; readonly max: number }): void {
  if (report.found.length >= report.max) return;
  if (wanted === undefined || actual === undefined) {
    const message = wanted === undefined ? 'is there although the sample lacks it' : 'is lost';
    report.found.push({ path: formatPointer(path), code: wanted === undefined ? 'added' : 'lost', message });
    return;
  }
  const below = partsOf(wanted, actual);
  if (below !== undefined) for (const part of below) compare({ ...part, path: [...path, part.name] }, report);
  else if (!sameJson(wanted, actual))
    report.found.push({ path: formatPointer(path), code: 'changed', message: 'is another value' });
}

/** The members or items of two values of one kind; undefined when they are to be compared as they are. */
function partsOf(wanted: JsonValue, actual: JsonValue) {
  if (Array.isArray(wanted) && Array.isArray(actual)) {
    const length = Math.max(wanted.length, actual.length);
    return Array.from({ length }, (_, name) => ({ name, wanted: at(wanted, name), actual: at(actual, name) }));
  }
  if (!isJsonObject(wanted) || !isJsonObject(actual)) return undefined;
  const names = [...Object.keys(wanted), ...Object.keys(actual).filter((name) => !Object.hasOwn(wanted, name))];
  return names.map((name) => ({
    name,
    wanted: Object.hasOwn(wanted, name) ? member(wanted, name) : undefined,
    actual: Object.hasOwn(actual, name) ? member(actual, name) : undefined,
  }));
}

function at(items: readonly JsonValue[], index: number): JsonValue | undefined {
  return items[index];
}
