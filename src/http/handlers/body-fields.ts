import { QuasarError } from '../../core/errors.ts';

/** What the JSON bodies of the API are read with: field by field; a field nobody knows is refused, not ignored. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(body: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (body === undefined) return {};
  if (body === null || typeof body !== 'object' || Array.isArray(body)) throw badBody('The body must be a JSON object.');
  for (const name of Object.keys(body)) {
    if (!known.includes(name))
      throw badBody(`"${name.slice(0, 64)}" is not a field of this request; known are ${known.join(', ')}.`);
  }
  return body as Record<string, unknown>;
}

export function optionalString(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.includes('\0')) throw badField(name, 'must be a string without NUL');
  return value;
}

export function requiredString(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = optionalString(fields, name);
  if (value === undefined) throw badField(name, 'is missing');
  return value;
}

export function parseReason(fields: Readonly<Record<string, unknown>>): string | undefined {
  const reason = optionalString(fields, 'reason');
  if (reason !== undefined && reason.length > REASON_MAX) throw badField('reason', `must have at most ${REASON_MAX} characters`);
  return reason;
}

/** Milliseconds of an RFC 3339 time. */
export function parseTimestamp(text: string, parameter: string): number {
  const ms = TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN;
  if (!(ms >= 0)) throw badField(parameter, 'must be an RFC 3339 time, such as 2026-11-21T09:00:00.000Z');
  return ms;
}

export function badBody(message: string): QuasarError {
  return new QuasarError('bad_body', { op: 'http.parseBody', message });
}

export function badField(parameter: string, must: string): QuasarError {
  return new QuasarError('bad_parameter', { op: 'http.parseBody', message: `${parameter} ${must}.`, details: { parameter } });
}

const REASON_MAX = 1000;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
