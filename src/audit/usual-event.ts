import { auditActions, auditPrincipalKinds, auditResourceKinds } from '../core/audit-action.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { QuasarError } from '../core/errors.ts';
import { isId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { AuditEvent, ReadCounters } from './event.ts';
import { EVENT_ID, PART_NAME, REASON } from './event-grammar.ts';
import { addressCheck, credentialCheck, decisionCheck } from './event-origin.ts';
import type { Check } from './shape.ts';

/**
 * The canonical text of an event whose members, but for `detail`, are plain ASCII without anything to escape: nearly all there
 * are. Undefined for every other one, also for those that are wrong: how those are written, or refused, is for `encodeAnyEvent`.
 */
export function writeUsualEvent(event: AuditEvent): string | undefined {
  if (event.v !== 2) return undefined;
  const { action, address, credential, decision, eventId, orgId, outcome, reason, requestId, time } = event;
  const reads = event.reads === undefined ? '' : writeReads(event.reads);
  const principal = writePrincipal(event.principal);
  const resource = writeResource(event.resource);
  const from = address === undefined ? '' : writeAddress(address);
  const by = writePart('credential', credential, credentialCheck);
  const decided = writePart('decision', decision, decisionCheck);
  if (principal === undefined || resource === undefined || reads === undefined) return undefined;
  if (from === undefined || by === undefined || decided === undefined) return undefined;
  if (countOf(event) !== MEMBERS + partsIn(reads, from, by, decided)) return undefined;
  if (!ACTIONS.has(action) || !OUTCOMES.has(outcome)) return undefined;
  if (!isId(orgId) || !EVENT_ID.test(eventId) || !TIME.test(time)) return undefined;
  if (!REASON.test(reason) || !PLAIN_REQUEST_ID.test(requestId)) return undefined;
  const detail = writeDetail(event.detail);
  if (detail === undefined) return undefined;
  return (
    `{"action":"${action}",${from}${by}${decided}"detail":${detail},"eventId":"${eventId}","orgId":"${orgId}","outcome":"${outcome}",` +
    `"principal":${principal},${reads}"reason":"${reason}","requestId":"${requestId}","resource":${resource},"time":"${time}","v":2}`
  );
}

function writePrincipal(principal: AuditEvent['principal']): string | undefined {
  const { kind, id } = principal;
  if (!PRINCIPALS.has(kind) || countOf(principal) !== 2) return undefined;
  const named = kind === 'user' || kind === 'service_account' ? isId(id) : PART_NAME.test(id);
  return named ? `{"id":"${id}","kind":"${kind}"}` : undefined;
}

function writeResource(resource: AuditEvent['resource']): string | undefined {
  const { kind, id, version } = resource;
  if (!RESOURCES.has(kind) || !PLAIN_RESOURCE_ID.test(id) || id.length > limits.auditResourceIdMax) return undefined;
  if (version === undefined) return countOf(resource) === 2 ? `{"id":"${id}","kind":"${kind}"}` : undefined;
  if (countOf(resource) !== 3 || !isId(version)) return undefined;
  return `{"id":"${id}","kind":"${kind}","version":"${version}"}`;
}

/** With the comma behind it, as the others. */
function writeAddress(address: string): string | undefined {
  return addressCheck(address) === undefined ? `"address":"${address}",` : undefined;
}

function writePart(name: string, value: object | undefined, check: Check): string | undefined {
  if (value === undefined) return '';
  if (check(value) !== undefined) return undefined;
  try {
    return `"${name}":${canonicalJson(value)},`;
  } catch (error) {
    // It is refused again, and then by its place in the whole event.
    if (error instanceof QuasarError) return undefined;
    throw error;
  }
}

function partsIn(...parts: readonly string[]): number {
  return parts.reduce((parts, text) => (text === '' ? parts : parts + 1), 0);
}

/** With the comma behind it. */
function writeReads(reads: ReadCounters): string | undefined {
  const { count, bytes, windowStart, windowEnd } = reads;
  if (countOf(reads) !== 4 || !Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(bytes) || bytes < 0)
    return undefined;
  if (!TIME.test(windowStart) || !TIME.test(windowEnd) || windowStart > windowEnd) return undefined;
  // `+ 0` makes 0 of -0, as canonical JSON does.
  return `"reads":{"bytes":${bytes + 0},"count":${count},"windowEnd":"${windowEnd}","windowStart":"${windowStart}"},`;
}

function writeDetail(detail: AuditEvent['detail']): string | undefined {
  if (
    typeof detail !== 'object' ||
    detail === null ||
    Array.isArray(detail) ||
    depthExceeds(detail, limits.auditDetailDepthMax)
  ) {
    return undefined;
  }
  try {
    const text = canonicalJson(detail);
    return text.length <= limits.auditDetailMax && Buffer.byteLength(text) <= limits.auditDetailMax ? text : undefined;
  } catch (error) {
    // It is refused again, and then by its place in the whole event.
    if (error instanceof QuasarError) return undefined;
    throw error;
  }
}

function depthExceeds(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depthMax === 0) return true;
  for (const name in value) if (depthExceeds((value as Record<string, unknown>)[name], depthMax - 1)) return true;
  return false;
}

function countOf(value: object): number {
  let count = 0;
  for (const _ in value) count += 1;
  return count;
}

/** Of an event without those that may be absent. */
const MEMBERS = 11;
const OUTCOMES: ReadonlySet<string> = new Set(['allowed', 'denied', 'failed']);
const ACTIONS: ReadonlySet<string> = new Set(auditActions);
const RESOURCES: ReadonlySet<string> = new Set(auditResourceKinds);
const PRINCIPALS: ReadonlySet<string> = new Set(auditPrincipalKinds);
/** Neither quotation marks nor backslashes. */
const PLAIN_REQUEST_ID = new RegExp(`^[!#-[\\]-~]{1,${limits.requestIdMax}}$`);
const PLAIN_RESOURCE_ID = /^[ !#-[\]-~]+$/;
/** As `toTimestamp` writes it, of a day that exists, but for 29 February. */
const TIME =
  /^\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
