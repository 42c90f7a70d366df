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
  sampleEvent(0, { action: 'org.create', principal: { kind: 'system', id: 'up' }, resource: { kind: 'org', id: 'first' } }),
  sampleEvent(1, { action: 'doc.read', resource: { kind: 'document', id: document, version } }),
  sampleEvent(2, {
    action: 'label.move',
    resource: { kind: 'document', id: document },
    detail: { label: 'CURRENT', from: null, to: version, note: 'Straße 7 | "§ 12"\n\u2028' },
  }),
  sampleEvent(3, { principal: { kind: 'anonymous', id: 'unknown' }, action: 'session.authenticate', reason: 'token_expired' }),
  sampleEvent(4, {
    principal: { kind: 'service_account', id: '018f0000-0000-7000-8000-0000000000bb' },
    resource: { kind: 'document', id: document, version },
    reads: { count: 17, bytes: 1_048_576, windowStart: '2026-09-21T14:13:24.000Z', windowEnd: '2026-09-21T14:18:24.000Z' },
  }),
];

const [, , target] = process.argv;
if (target !== undefined) {
  const events = goldenEvents.map(encodeEvent);
  writeFileSync(join(target, 'export.ndjson'), `${exportOf(events, [3, 5]).join('\n')}\n`);
  writeFileSync(join(target, 'kept-checkpoint'), checkpointOf(events, 2));
  writeFileSync(join(target, 'verifier-key'), `${formatNoteVerifier(signer.verifier)}\n`);
}
