import type { JsonValue } from '../../metadata/json-value.ts';
import { badField, fieldsOf, parseReason, parseTimestamp, requiredString } from './body-fields.ts';

/** `{reason}`, which is kept for those who ask years later. @throws QuasarError `bad_body`, `bad_parameter`. */
export function parseNeededReason(body: JsonValue | undefined): string {
  const reason = parseReason(fieldsOf(body, ['reason']));
  if (reason === undefined || reason.trim() === '') throw badField('reason', 'is missing: it is kept with the change');
  return reason;
}

/** `{retainUntil, reason?}`. @throws QuasarError `bad_body`, `bad_parameter`. */
export function parseRetentionBody(body: JsonValue | undefined): { untilMs: number; reason: string | undefined } {
  const fields = fieldsOf(body, ['retainUntil', 'reason']);
  const untilMs = parseTimestamp(requiredString(fields, 'retainUntil'), 'retainUntil');
  return { untilMs, reason: parseReason(fields) };
}
