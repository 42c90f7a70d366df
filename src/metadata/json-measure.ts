import { QuasarError } from '../core/errors.ts';
import type { JsonValue } from './json-value.ts';
import { type JsonBounds, metadataBounds } from './strict-json.ts';

export interface JsonMeasure {
  /** Bytes of the JSON text without white space, in UTF-8. */
  readonly size: number;
  /** Members of all objects and items of all arrays. */
  readonly keys: number;
  /** Levels of arrays and objects; 0 for a scalar. */
  readonly depth: number;
}

/** Level by level, without recursion: what is measured may be deeper than it should. */
export function measureJson(value: JsonValue): JsonMeasure {
  let [size, keys, depth] = [0, 0, 0];
  for (let level: JsonValue[] = [value]; level.length > 0; keys += level.length) {
    const containers = level.filter(isContainer);
    if (containers.length > 0) depth += 1;
    for (const one of level) size += sizeOf(one);
    level = [];
    for (const container of containers) for (const item of Object.values(container)) level.push(item);
  }
  return { size, keys, depth };
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

/** Without what is inside of an array or object. */
function sizeOf(value: JsonValue): number {
  if (typeof value === 'string') return sizeOfText(value);
  if (!isContainer(value)) return String(value).length;
  if (Array.isArray(value)) return sizeOfMarks(value.length);
  const names = Object.keys(value);
  return names.reduce((size, name) => size + sizeOfText(name) + ':'.length, sizeOfMarks(names.length));
}

function sizeOfMarks(count: number): number {
  return '[]'.length + Math.max(0, count - 1);
}

function sizeOfText(text: string): number {
  return ESCAPED.test(text) ? Buffer.byteLength(JSON.stringify(text)) : Buffer.byteLength(text) + '""'.length;
}

/** What JSON.stringify escapes. */
const ESCAPED = /["\\\p{Cc}\p{Surrogate}]/u;
