import { auditActions, auditPrincipalKinds, auditResourceKinds } from '../../core/audit-action.ts';
import { capabilities } from '../../core/capability.ts';
import { shapes } from './parts.ts';
import { object, page, ref } from './schema-parts.ts';

const { uuid, offset } = shapes;
const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const treeHash = { type: 'string', description: 'SHA-256 in Base64.', pattern: '^[A-Za-z0-9+/]{43}=$' };
const proof = { type: 'array', items: treeHash };
const LEAF_HASH = 'hKzPjFGpWfVh8kxCfiH+o+TFkcAxMcUq0v0ayAlN5vs=';
const ROOT = 'kXmkRwKDgbTrKoCCDRSwVsVgaYXBPcUwsZcqoLdNJyI=';

const placeKind = { type: 'string', enum: ['document', 'folder', 'org'] };
const place = object({ kind: placeKind, id: uuid });

const event = object(
  {
    v: { type: 'integer', enum: [1, 2] },
    orgId: uuid,
    eventId: uuid,
    time,
    principal: object({ kind: { type: 'string', enum: auditPrincipalKinds }, id: text }),
    action: { type: 'string', enum: auditActions },
    resource: object({ kind: { type: 'string', enum: auditResourceKinds }, id: text }, undefined, { version: uuid }),
    outcome: { type: 'string', enum: ['allowed', 'denied', 'failed'] },
    reason: text,
    requestId: text,
    detail: { type: 'object', additionalProperties: true },
  },
  undefined,
  {
    reads: object({ count: offset, bytes: offset, windowStart: time, windowEnd: time }),
    credential: object({ kind: { type: 'string', enum: ['api_key', 'token'] }, id: text }, undefined, { issuer: text }),
    address: { type: 'string', description: 'IPv4 or IPv6.' },
    decision: object({ reason: text }, undefined, {
      capability: { type: 'string', enum: capabilities },
      rule: object({ id: uuid, effect: { type: 'string', enum: ['allow', 'deny'] }, place }),
      roles: { type: 'array', items: text },
      rules: { type: 'array', items: object({ kind: placeKind, id: uuid, version: offset }) },
    }),
  },
);

const eventExample = {
  v: 2,
  orgId: '019aa5c0-6d00-7a3b-8c1d-2e4f5a6b7c8d',
  eventId: '019aa5c0-6fff-7a3b-8c1d-2e4f5a6b7c8d',
  time: '2026-11-21T09:00:00.000Z',
  principal: { kind: 'service_account', id: '019aa5c0-6e00-7a3b-8c1d-2e4f5a6b7c8d' },
  action: 'label.move',
  resource: {
    kind: 'document',
    id: '019aa5c0-6f00-7a3b-8c1d-2e4f5a6b7c8d',
    version: '019aa5c0-6f01-7a3b-8c1d-2e4f5a6b7c8d',
  },
  outcome: 'allowed',
  reason: 'role_allows',
  requestId: '019aa5c0-7000-7a3b-8c1d-2e4f5a6b7c8d',
  credential: { kind: 'api_key', id: '019aa5c0-6e01-7a3b-8c1d-2e4f5a6b7c8d' },
  address: '192.0.2.7',
  decision: {
    reason: 'role_allows',
    capability: 'doc.write',
    roles: ['clerk'],
    rules: [{ kind: 'org', id: '019aa5c0-6d00-7a3b-8c1d-2e4f5a6b7c8d', version: 3 }],
  },
  detail: { label: 'sealed', from: null },
};

export const auditSchemas = {
  AuditEvent: {
    ...object(
      { leaf: { ...offset, description: 'Its number, from 0.' }, hash: treeHash },
      {
        leaf: 4711,
        hash: LEAF_HASH,
        event: eventExample,
      },
      {
        event,
        bytes: { type: 'string', description: 'In place of `event` when what is stored is none: its bytes in Base64.' },
      },
    ),
    description: 'An event and its place in the log.',
  },
  DecisionExplanation: object(
    {
      leaf: { ...offset, description: 'Number of the event.' },
      event,
      rules: {
        oneOf: [ref('RuleChange'), { type: 'null' }],
        description: 'The rules among which the one that decided was, as they were then; null when none decided.',
      },
      lines: { type: 'array', items: text, description: 'The same in words.' },
    },
    {
      leaf: 4711,
      event: eventExample,
      rules: null,
      lines: ['The role clerk gave doc.write, and no rule denied it.'],
    },
  ),
  AuditEventPage: page('AuditEvent'),
  InclusionProof: object(
    { leaf: offset, size: offset, leafHash: treeHash, root: treeHash, proof },
    { leaf: 0, size: 2, leafHash: LEAF_HASH, root: ROOT, proof: [LEAF_HASH] },
  ),
  ConsistencyProof: object({ first: offset, second: offset, proof }, { first: 1, second: 2, proof: [LEAF_HASH] }),
};
