import type { EventFilter } from '../../audit/audit-log.ts';
import { auditActions } from '../../core/audit-action.ts';
import { type DocumentId, parseId } from '../../core/ids.ts';
import { nearest } from '../../core/nearest.ts';
import { badField, parseTimestamp } from './body-fields.ts';

/** `document`, `principal`, `action`, `from`, `until` and `above` of a query. @throws QuasarError `bad_parameter`. */
export function parseEventFilter(query: URLSearchParams): EventFilter {
  const parsers: { readonly [Name in keyof EventFilter]-?: [string, (text: string, parameter: string) => EventFilter[Name]] } = {
    resourceId: ['document', parseId<DocumentId>],
    principalId: ['principal', parsePrincipal],
    action: ['action', parseAction],
    fromMs: ['from', parseTimestamp],
    untilMs: ['until', parseTimestamp],
    aboveLeaf: ['above', parseLeafNumber],
  };
  const given = Object.entries(parsers).flatMap(([member, [parameter, parse]]) => {
    const text = query.get(parameter);
    return text === null ? [] : [[member, parse(text, parameter)] as const];
  });
  return Object.fromEntries(given);
}

/** The number of a leaf, or a size of the log. */
export function parseLeafNumber(text: string, parameter: string): number {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw badField(parameter, 'must be a whole number from 0');
  return value;
}

/** People and service accounts by their id; the system's own parts by their name. */
function parsePrincipal(text: string, parameter: string): string {
  if (!PRINCIPAL.test(text)) throw badField(parameter, 'must be the id of a principal, or the name of a part of the system');
  return text;
}

function parseAction(text: string, parameter: string): (typeof auditActions)[number] {
  const action = auditActions.find((name) => name === text);
  if (action !== undefined) return action;
  const meant = nearest(text.slice(0, ACTION_SHOWN_MAX), auditActions);
  throw badField(parameter, `must be an action${meant === undefined ? '' : `; ${meant} is near`}`);
}

const PRINCIPAL = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const ACTION_SHOWN_MAX = 64;
