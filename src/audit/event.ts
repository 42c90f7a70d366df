import {
  type AuditAction,
  type AuditPrincipalKind,
  type AuditResourceKind,
  auditActions,
  auditPrincipalKinds,
  auditResourceKinds,
} from '../core/audit-action.ts';
import { canonicalJson, canonicalJsonBytes } from '../core/canonical-json.ts';
import { QuasarError } from '../core/errors.ts';
import type { AuditEventId, OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { Fault } from '../segment/fault.ts';
import { EVENT_ID, PART_NAME, REASON } from './event-grammar.ts';
import { addressCheck, credentialCheck, decisionCheck, type EventCredential, type EventDecision } from './event-origin.ts';
import { type Check, count, isObject, matching, members, oneOf, timestamp, uuid } from './shape.ts';
import { writeUsualEvent } from './usual-event.ts';

/**
 * One line of what happened: a decision, allowed or denied, or a change. Its canonical JSON (RFC 8785) is the leaf of the
 * log's tree; docs/format/audit-v1.md section 4 is the specification.
 */
export interface AuditEvent {
  /** 1 in logs of old: without credential, address and decision, and without failures. */
  readonly v: 1 | 2;
  readonly orgId: OrgId;
  readonly eventId: AuditEventId;
  /** RFC 3339, UTC, milliseconds: when it happened. The order of the log is that of commits, not of times. */
  readonly time: string;
  readonly principal: { readonly kind: AuditPrincipalKind; readonly id: string };
  readonly action: AuditAction;
  /** `version` when it was about one version of a document. */
  readonly resource: { readonly kind: AuditResourceKind; readonly id: string; readonly version?: string };
  /** `failed`: it was allowed to be tried, and changed nothing. */
  readonly outcome: 'allowed' | 'denied' | 'failed';
  /** Code of why: `[a-z][a-z0-9_.-]*`, at most 64 characters. */
  readonly reason: string;
  readonly requestId: string;
  /** With what; absent when no credential was taken, or the server acts by itself. */
  readonly credential?: EventCredential;
  /** From where: of the client as far as it is known, else of the last proxy that is. */
  readonly address?: string;
  /** How access was decided; absent when nothing was decided. */
  readonly decision?: EventDecision;
  /** Only in the event that closes a window of reads. */
  readonly reads?: ReadCounters;
  /** Of the action's own making; no secrets, no content of documents. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Reads of one principal and version between two times. */
export interface ReadCounters {
  /** Requests, at least one. */
  readonly count: number;
  readonly bytes: number;
  readonly windowStart: string;
  readonly windowEnd: string;
}

/** Why bytes are no event: not in canonical form, so that others could mean the same; or not of an event's shape. */
export class EventFault extends Fault {
  readonly kind: 'not-canonical' | 'not-an-event';

  constructor(kind: 'not-canonical' | 'not-an-event', meaning: string) {
    super(meaning);
    this.kind = kind;
  }
}

/** What is written. */
export const AUDIT_EVENT_VERSION = 2;

const REQUEST_ID = new RegExp(`^[\\x21-\\x7e]{1,${limits.requestIdMax}}$`);
const RESOURCE_ID = new RegExp(`^[^\\p{Cc}\\p{Surrogate}]{1,${limits.auditResourceIdMax}}$`, 'u');

const partName = matching(PART_NAME);
const isAction = oneOf(auditActions);
const resourceText = matching(RESOURCE_ID);
const principalShape = members({ kind: oneOf(auditPrincipalKinds), id: partName });
const readsShape = members({ count: count(1), bytes: count(0), windowStart: timestamp, windowEnd: timestamp });

const always = {
  orgId: uuid,
  eventId: matching(EVENT_ID),
  time: timestamp,
  principal,
  action: isAction,
  resource: members({ kind: oneOf(auditResourceKinds), id: resourceText }, { version: uuid }),
  reason: matching(REASON),
  requestId: matching(REQUEST_ID),
  detail,
};
const shapes: Readonly<Record<number, Check>> = {
  1: members({ v: oneOf([1]), ...always, outcome: oneOf(['allowed', 'denied']) }, { reads }),
  2: members(
    { v: oneOf([2]), ...always, outcome: oneOf(['allowed', 'denied', 'failed']) },
    { reads, credential: credentialCheck, address: addressCheck, decision: decisionCheck },
  ),
};

/** Of the version the value says it has; the present one's for any other. */
function shape(value: unknown): string | undefined {
  const version = isObject(value) && typeof value.v === 'number' ? value.v : AUDIT_EVENT_VERSION;
  return (shapes[version] ?? (shapes[AUDIT_EVENT_VERSION] as Check))(value);
}

/**
 * The event's canonical bytes, fresh memory. What clients said must be within the limits of an event before it comes here.
 * Members are written in their canonical order as they stand, a quarter of the work of `encodeAnyEvent`.
 * @throws QuasarError `bad_body` when a text in it is no Unicode or a number not finite; `internal` for any other breach.
 */
export function encodeEvent(event: AuditEvent): Buffer {
  const text = writeUsualEvent(event);
  return text === undefined ? encodeAnyEvent(event) : Buffer.from(text, 'utf8');
}

/** The same bytes from the shape of an event alone. @throws as `encodeEvent`, whose refusals all come from here. */
export function encodeAnyEvent(event: AuditEvent): Buffer {
  const bytes = canonicalJsonBytes(event);
  const wrong = bytes.byteLength > limits.auditEventMax ? 'is longer than an event may be' : shape(event);
  if (wrong !== undefined) throw new QuasarError('internal', { op: 'audit.encodeEvent', message: `The audit event ${wrong}.` });
  return bytes;
}

/** Takes exactly what `encodeEvent` gives; two byte strings never mean the same event. */
export function decodeEvent(bytes: Uint8Array): AuditEvent | EventFault {
  if (bytes.byteLength > limits.auditEventMax) return new EventFault('not-an-event', 'it is longer than an event may be');
  const value = parseCanonical(bytes);
  if (value instanceof EventFault) return value;
  const wrong = shape(value);
  if (wrong !== undefined) return new EventFault('not-an-event', `it ${wrong}`);
  return value as AuditEvent;
}

/** What an event can be found by. */
export interface EventSubject {
  /** RFC 3339. */
  readonly time: string;
  readonly principalId: string;
  readonly action: string;
  readonly resourceId: string;
}

/** Reads these members alone, a fifth of the work of `decodeEvent`. Undefined when one of them is not as an event has it. */
export function readSubject(bytes: Uint8Array): EventSubject | undefined {
  const value = parseJson(bytes);
  if (!isObject(value) || !isObject(value.principal) || !isObject(value.resource)) return undefined;
  const { time, action } = value;
  const { id: principalId } = value.principal;
  const { id: resourceId } = value.resource;
  const wrong = timestamp(time) ?? isAction(action) ?? partName(principalId) ?? resourceText(resourceId);
  return wrong === undefined ? ({ time, principalId, action, resourceId } as EventSubject) : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Members twice, other orders, spaces, other spellings of numbers and texts: none of them survives being written again. */
function parseCanonical(bytes: Uint8Array): unknown | EventFault {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    return canonicalJson(value) === text ? value : new EventFault('not-canonical', 'it is not in canonical form');
  } catch (error) {
    const meaning = error instanceof QuasarError ? 'it has no canonical form' : 'it is not JSON in UTF-8';
    return new EventFault('not-canonical', meaning);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    // Of JSON.parse and of the decoder; nothing else can be thrown.
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function principal(value: unknown): ReturnType<Check> {
  const wrong = principalShape(value);
  if (wrong !== undefined) return wrong;
  const { kind, id } = value as AuditEvent['principal'];
  return kind === 'user' || kind === 'service_account' ? uuid(id) : undefined;
}

function reads(value: unknown): ReturnType<Check> {
  const wrong = readsShape(value);
  if (wrong !== undefined) return wrong;
  const { windowStart, windowEnd } = value as ReadCounters;
  return windowStart <= windowEnd ? undefined : 'ends before it starts';
}

function detail(value: unknown): ReturnType<Check> {
  if (!isObject(value)) return 'is no object';
  if (depthOf(value) > limits.auditDetailDepthMax) return 'is nested too deep';
  return canonicalJsonBytes(value).byteLength > limits.auditDetailMax ? 'is too long' : undefined;
}

/** Only of values whose canonical form was written, so the depth is bounded. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce((depth: number, item) => Math.max(depth, depthOf(item)), 0);
}
