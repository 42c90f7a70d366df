import { limits } from '../core/limits.ts';

/** `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type RangeOutcome =
  /** No Range to honour: the whole representation is sent. */
  | { readonly kind: 'whole' }
  /** At least one, in the order asked for, disjoint and not touching. */
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }
  /** 416. */
  | { readonly kind: 'unsatisfiable' };

/**
 * Reads a Range header (RFC 9110 14.2) against a representation of `size` bytes.
 * - another unit than bytes, a malformed set, or last before first: the header is ignored, as the RFC demands;
 * - more than `limits.rangesMax` ranges: 416. Ignoring it would answer a suspicious request with the most bytes;
 * - ranges that overlap or touch are merged (RFC 9110 15.3.7.2), so no byte is ever sent twice.
 */
export function resolveRange(header: string | undefined, size: number): RangeOutcome {
  if (header === undefined) return WHOLE;
  const set = BYTES_UNIT.exec(header)?.[1];
  if (set === undefined) return WHOLE;
  const ranges: ByteRange[] = [];
  let count = 0;
  for (const part of set.includes(',') ? set.split(',') : [set]) {
    const spec = part.trim();
    if (spec === '') continue;
    count += 1;
    const range = resolveSpec(spec, size);
    if (range === 'malformed') return WHOLE;
    if (range !== undefined) ranges.push(range);
  }
  if (count === 0) return WHOLE;
  if (count > limits.rangesMax) return UNSATISFIABLE;
  // A suffix of nothing is nothing, and a part of no bytes cannot be written as a Content-Range.
  if (size === 0 && ranges.length > 0) return WHOLE;
  return ranges.length === 0 ? UNSATISFIABLE : { kind: 'ranges', ranges: ranges.length === 1 ? ranges : merge(ranges) };
}

/** Undefined: well-formed, but no byte of it exists. */
function resolveSpec(spec: string, size: number): ByteRange | 'malformed' | undefined {
  const match = SPEC.exec(spec);
  if (match === null) return 'malformed';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'malformed';
    const suffix = Number(last);
    return suffix === 0 ? undefined : { start: Math.max(0, size - suffix), end: size };
  }
  // Beyond 2^53 digits lose precision, but such positions lie behind every blob anyway.
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'malformed';
  if (start >= size) return undefined;
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) };
}

/** Merges what overlaps or touches; a merged range stands where its first member stood. */
function merge(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const merged: ByteRange[] = [];
  for (const next of ranges) {
    let { start, end } = next;
    let place = merged.length;
    for (let at = merged.length - 1; at >= 0; at--) {
      const other = merged[at] as ByteRange;
      if (other.start > end || start > other.end) continue;
      start = Math.min(start, other.start);
      end = Math.max(end, other.end);
      merged.splice(at, 1);
      place = at;
    }
    merged.splice(place, 0, { start, end });
  }
  return merged;
}

const WHOLE: RangeOutcome = { kind: 'whole' };
const UNSATISFIABLE: RangeOutcome = { kind: 'unsatisfiable' };
const BYTES_UNIT = /^bytes=(.*)$/i;
const SPEC = /^(\d*)-(\d*)$/;
