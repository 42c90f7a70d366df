import { QuasarError } from '../core/errors.ts';
import { isJsonObject, type JsonValue } from './json-value.ts';
import { type JsonBounds, metadataBounds } from './strict-json.ts';

export interface JsonMeasure {
  /** Bytes of the JSON text without white space, in UTF-8. */
  readonly size: number;
  /** Members of all objects and items of all arrays. */
  readonly keys: number;
  /** Levels of arrays and objects; 0 for a scalar. */
  readonly depth: number;
}

/** Takes one visit a value and no recursion: what is measured may be deeper than it should. */
export function measureJson(value: JsonValue): JsonMeasure {
  let [size, keys, deepest] = [0, 0, 0];
  const waiting: { readonly value: JsonValue; readonly level: number }[] = [{ value, level: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, level } = next;
    if (!isContainer(value)) {
      size += sizeOfScalar(value);
      continue;
    }
    deepest = Math.max(deepest, level + 1);
    const items = Object.values(value);
    keys += items.length;
    size += '[]'.length + Math.max(0, items.length - 1);
    if (isJsonObject(value)) for (const name of Object.keys(value)) size += sizeOfScalar(name) + ':'.length;
    for (const item of items) waiting.push({ value: item, level: level + 1 });
  }
  return { size, keys, depth: deepest };
}

/** @throws QuasarError `metadata_too_large` that says which bound. */
export function requireWithinBounds(value: JsonValue, op: string, bounds: JsonBounds = metadataBounds): void {
  const measure = measureJson(value);
  for (const bound of ['size', 'keys', 'depth'] as const) {
    if (measure[bound] <= bounds[bound]) continue;
    throw new QuasarError('metadata_too_large', {
      op,
      message: `The metadata would have ${measure[bound]} ${NAMES[bound]}; at most ${bounds[bound]} are taken.`,
      details: { bound, is: measure[bound], max: bounds[bound] },
    });
  }
}

const NAMES = { size: 'bytes', keys: 'members and items', depth: 'levels' } as const;

function isContainer(value: JsonValue): value is Extract<JsonValue, object> {
  return typeof value === 'object' && value !== null;
}

function sizeOfScalar(value: string | number | boolean | null): number {
  return typeof value === 'string' ? Buffer.byteLength(JSON.stringify(value)) : String(value).length;
}
