import { limits } from '../core/limits.ts';
import type { JsonValue } from './json-value.ts';
import { StrictRecord } from './strict-record.ts';

/** What a program made, of what, when, and how sure it was. Derived metadata has one; canonical metadata has none. */
export interface Provenance {
  readonly producer: { readonly name: string; readonly version: string };
  /** RFC 3339 in UTC, milliseconds. */
  readonly producedAt: string;
  /** The content it was made of. */
  readonly input: ContentRef;
  /** From 0 to 1. */
  readonly confidence: number;
}

export interface ContentRef {
  readonly kind: 'blob' | 'view';
  readonly key: string;
}

/** @throws QuasarError `metadata_invalid` with the pointer of what is missing, unknown or beyond its range. */
export function parseProvenance(value: JsonValue | undefined, path: readonly string[] = ['provenance']): Provenance {
  const record = new StrictRecord(value, {
    path,
    op: 'metadata.parseProvenance',
    names: ['producer', 'producedAt', 'input', 'confidence'],
  });
  const producer = record.inner('producer', ['name', 'version']);
  const input = record.inner('input', ['kind', 'key']);
  return {
    producer: {
      name: producer.text('name', limits.provenanceTextMax),
      version: producer.text('version', limits.provenanceTextMax),
    },
    producedAt: timeOf(record),
    input: { kind: input.oneOf('kind', ['blob', 'view']), key: input.text('key', limits.provenanceTextMax) },
    confidence: confidenceOf(record),
  };
}

/** Any RFC 3339 time with an offset, stored in the one form in which times leave the program. */
function timeOf(record: StrictRecord): string {
  const text = record.text('producedAt', 64);
  const [, year, month, day] = RFC_3339.exec(text) ?? [];
  const time = year === undefined ? Number.NaN : Date.parse(text.toUpperCase());
  // Date.parse takes 30 February for 2 March.
  const dayMax = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(time) || Number(day) > dayMax)
    throw record.fault('producedAt', 'format', 'A time like 2026-05-04T03:02:01Z is wanted here.');
  return new Date(time).toISOString();
}

function confidenceOf(record: StrictRecord): number {
  const value = record.get('confidence');
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw record.fault('confidence', value === undefined ? 'required' : 'range', 'A number from 0 to 1 is wanted here.');
}

const RFC_3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$/;
