/**
 * Made the committed directory `audit-v1/`: node dist/test/format/golden/generate-audit-v1.js TARGET. Golden files are never
 * made again for a version that has been released; this stays to show what is in them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditEvent, encodeEvent } from '../../../src/audit/event.ts';
import { formatNoteVerifier } from '../../../src/audit/note-key.ts';
import { checkpointOf, exportOf, sampleEvent, signer } from '../../helpers/audit-log-fixture.ts';

const document = '018f0000-0000-7000-8000-0000000000dd';
const version = '018f0000-0000-7000-8000-0000000000ee';

export const goldenEvents: readonly AuditEvent[] = [
  sampleEvent(0, { v: 1, action: 'org.create', principal: { kind: 'system', id: 'up' }, resource: { kind: 'org', id: 'first' } }),
  sampleEvent(1, { v: 1, action: 'doc.read', resource: { kind: 'document', id: document, version } }),
  sampleEvent(2, {
    v: 1,
    action: 'label.move',
    resource: { kind: 'document', id: document },
    detail: { label: 'CURRENT', from: null, to: version, note: 'Straße 7 | "§ 12"\n\u2028' },
  }),
  sampleEvent(3, {
    v: 1,
    principal: { kind: 'anonymous', id: 'unknown' },
    action: 'session.authenticate',
    reason: 'token_expired',
  }),
  sampleEvent(4, {
    v: 1,
    principal: { kind: 'service_account', id: '018f0000-0000-7000-8000-0000000000bb' },
    resource: { kind: 'document', id: document, version },
    reads: { count: 17, bytes: 1_048_576, windowStart: '2026-09-21T14:13:24.000Z', windowEnd: '2026-09-21T14:18:24.000Z' },
  }),
];

/** Version 2 of events: with what, from where, by which rule. */
export const goldenEvents2: readonly AuditEvent[] = [
  sampleEvent(0, {
    credential: { kind: 'api_key', id: '018f0000-0000-7000-8000-0000000000cc' },
    address: '192.0.2.7',
    decision: { reason: 'role_allows', capability: 'doc.read', roles: ['admin', 'reader'], rules: [] },
    outcome: 'allowed',
  }),
  sampleEvent(1, {
    credential: { kind: 'token', id: 'token-1', issuer: 'https://id.example.org/' },
    address: '2001:db8::7',
    reason: 'rule_denies',
    decision: {
      reason: 'rule_denies',
      capability: 'doc.read',
      rule: { id: '018f0000-0000-7000-8000-0000000000ff', effect: 'deny', place: { kind: 'document', id: document } },
      rules: [
        { kind: 'document', id: document, version: 3 },
        { kind: 'org', id: '018f0000-0000-7000-8000-00000000000a', version: 1 },
      ],
    },
    outcome: 'denied',
  }),
  sampleEvent(2, {
    action: 'doc.write',
    credential: { kind: 'api_key', id: '018f0000-0000-7000-8000-0000000000cc' },
    address: '192.0.2.7',
    outcome: 'failed',
    reason: 'version_conflict',
    decision: { reason: 'role_allows', capability: 'doc.write', roles: ['admin'], rules: [] },
    detail: { request: 'PUT /v1/documents/{documentId}/content', status: 409 },
  }),
  sampleEvent(3, {
    principal: { kind: 'anonymous', id: 'token' },
    action: 'session.authenticate',
    resource: { kind: 'org', id: '018f0000-0000-7000-8000-00000000000a' },
    outcome: 'denied',
    reason: 'token_expired',
    address: '192.0.2.9',
    detail: { first: { jti: 'token-2', orgId: '018f0000-0000-7000-8000-00000000000a', subject: 'anna' } },
  }),
  sampleEvent(4, { principal: { kind: 'system', id: 'up' }, outcome: 'allowed', reason: 'system' }),
];

const [, , target] = process.argv;
if (target !== undefined) {
  const events = goldenEvents.map(encodeEvent);
  writeFileSync(join(target, 'export.ndjson'), `${exportOf(events, [3, 5]).join('\n')}\n`);
  writeFileSync(join(target, 'export-of-events-2.ndjson'), `${exportOf(goldenEvents2.map(encodeEvent), [3, 5]).join('\n')}\n`);
  writeFileSync(join(target, 'kept-checkpoint'), checkpointOf(events, 2));
  writeFileSync(join(target, 'verifier-key'), `${formatNoteVerifier(signer.verifier)}\n`);
}
