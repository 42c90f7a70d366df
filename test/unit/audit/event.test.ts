import fc from 'fast-check';
import t from 'tap';
import { type AuditEvent, decodeEvent, EventFault, encodeEvent, readSubject } from '../../../src/audit/event.ts';
import { auditActions, auditPrincipalKinds, auditResourceKinds } from '../../../src/core/audit-action.ts';
import { canonicalJsonBytes } from '../../../src/core/canonical-json.ts';
import { capabilities } from '../../../src/core/capability.ts';
import { limits } from '../../../src/core/limits.ts';
import { sampleEvent } from '../../helpers/audit-log-fixture.ts';

const window = { count: 3, bytes: 4096, windowStart: '2026-11-21T18:00:00.000Z', windowEnd: '2026-11-21T18:05:00.000Z' };
const plain = sampleEvent(1);
const full = sampleEvent(2, {
  resource: { kind: 'document', id: '018f0000-0000-7000-8000-0000000000dd', version: '018f0000-0000-7000-8000-0000000000ee' },
  reads: window,
  detail: { ranges: [[0, 4095]], why: 'Aktenzeichen 7 C 12/26 | "Ä"\n\u2028', none: null, deep: { a: { b: [1.5, true] } } },
});

const ruleId = '018f0000-0000-7000-8000-0000000000ff';
const placeId = '018f0000-0000-7000-8000-0000000000cc';
/** With what, from where and by which rule. */
const told = sampleEvent(3, {
  outcome: 'failed',
  credential: { kind: 'token', id: 'jti "1"', issuer: 'https://id.example.org/' },
  address: '2001:db8::1',
  decision: {
    reason: 'rule_allows',
    capability: 'doc.write',
    rule: { id: ruleId, effect: 'allow', place: { kind: 'folder', id: placeId } },
    rules: [{ kind: 'folder', id: placeId, version: 3 }],
  },
});
/** As they were written before. */
const old = sampleEvent(4, { v: 1 });

/** As the event is written, with these members set, or removed when undefined. */
function bytesWith(changes: Record<string, unknown>, event: AuditEvent = full): Buffer {
  const entries = Object.entries({ ...event, ...changes }).filter(([, value]) => value !== undefined);
  return canonicalJsonBytes(Object.fromEntries(entries));
}

t.test('an event survives encoding and decoding', async (t) => {
  for (const event of [plain, full, told, old]) t.same(decodeEvent(encodeEvent(event)), event);
});

t.test('an event is canonical JSON: sorted members, no spaces, a version', async (t) => {
  t.equal(
    encodeEvent(plain).toString(),
    '{"action":"doc.read","detail":{},"eventId":"018f0000-0000-7000-8000-000000000001","orgId":"018f0000-0000-7000-8000-00000000000a",' +
      '"outcome":"denied","principal":{"id":"018f0000-0000-7000-8000-0000000000aa","kind":"user"},"reason":"acl_deny",' +
      '"requestId":"request-1","resource":{"id":"018f0000-0000-7000-8000-0000000000dd","kind":"document"},' +
      '"time":"2026-09-21T14:13:21.000Z","v":2}',
  );
  t.match(encodeEvent(old).toString(), /"v":1}$/);
  t.ok(
    encodeEvent(told)
      .toString()
      .startsWith(
        '{"action":"doc.read","address":"2001:db8::1","credential":{"id":"jti \\"1\\"","issuer":"https://id.example.org/",' +
          '"kind":"token"},"decision":{"capability":"doc.write","reason":"rule_allows","rule":{"effect":"allow",' +
          '"id":"018f0000-0000-7000-8000-0000000000ff","place":{"id":"018f0000-0000-7000-8000-0000000000cc","kind":"folder"}},' +
          '"rules":[{"id":"018f0000-0000-7000-8000-0000000000cc","kind":"folder","version":3}]},"detail":{},',
      ),
  );
});

t.test('what an event is found by is read from the event, or not at all', async (t) => {
  const { time, principal, action, resource } = full;
  t.same(readSubject(encodeEvent(full)), { time, principalId: principal.id, action, resourceId: resource.id });
  for (const name of ['time', 'principal', 'action', 'resource']) {
    for (const value of [undefined, null, 7, '', 'a\0b', {}, { id: 'a\0b' }, [], true])
      t.equal(readSubject(bytesWith({ [name]: value })), undefined, `${name} ${JSON.stringify(value)}`);
  }
  for (const text of ['', '{', '[]', 'null', '"x"', '{"time":']) t.equal(readSubject(Buffer.from(text)), undefined, text);
  t.equal(readSubject(Buffer.of(0x22, 0xff, 0x22)), undefined, 'no UTF-8');
});

t.test('members that are missing, unknown or of another kind are refused', async (t) => {
  t.same(decodeEvent(bytesWith({})), full, 'as it is');
  const required = [
    'v',
    'orgId',
    'eventId',
    'time',
    'principal',
    'action',
    'resource',
    'outcome',
    'reason',
    'requestId',
    'detail',
  ];
  for (const name of required) {
    t.match(decodeEvent(bytesWith({ [name]: undefined })), { kind: 'not-an-event', meaning: `it has no ${name}` });
    for (const value of [null, 7, '', [], true])
      t.type(decodeEvent(bytesWith({ [name]: value })), EventFault, `${name} ${value}`);
  }
  t.match(decodeEvent(bytesWith({ extra: 1 })), { kind: 'not-an-event', meaning: /unknown member "extra"/ });
  t.match(decodeEvent(canonicalJsonBytes([1])), { kind: 'not-an-event' });
  t.match(decodeEvent(Buffer.from('{"__proto__":{}}')), { kind: 'not-an-event' });
});

t.test('values outside their grammar are refused', async (t) => {
  const { principal, resource } = full;
  const bad: Record<string, unknown>[] = [
    { v: 3 },
    { v: '2' },
    { orgId: full.orgId.toUpperCase() },
    { eventId: '018f0000-0000-4000-8000-000000000001' },
    { eventId: '018f0000-0000-7000-c000-000000000001' },
    { time: '2026-11-21T18:00:00Z' },
    { time: '2026-02-30T18:00:00.000Z' },
    { time: '2026-11-21T18:00:00.000+01:00' },
    { action: 'doc.teleport' },
    { outcome: 'maybe' },
    { reason: 'Because' },
    { reason: 'r'.repeat(65) },
    { requestId: 'a b' },
    { requestId: 'r'.repeat(limits.requestIdMax + 1) },
    { requestId: 'a\nb' },
    { principal: { ...principal, kind: 'group' } },
    { principal: { ...principal, id: 'alice' } },
    { principal: { kind: 'system', id: '' } },
    { principal: { ...principal, name: 'Alice' } },
    { resource: { ...resource, kind: 'thing' } },
    { resource: { ...resource, id: '' } },
    { resource: { ...resource, id: 'a\u0000b' } },
    { resource: { ...resource, id: 'x'.repeat(limits.auditResourceIdMax + 1) } },
    { resource: { ...resource, version: 'CURRENT' } },
    { resource: { ...resource, extra: 1 } },
    { reads: { ...window, count: 0 } },
    { reads: { ...window, bytes: -1 } },
    { reads: { ...window, bytes: 0.5 } },
    { reads: { ...window, bytes: 2 ** 53 } },
    { reads: { ...window, windowEnd: '2026-11-21T17:59:59.999Z' } },
    { reads: { ...window, extra: 1 } },
    { reads: { count: 1, bytes: 1 } },
    { detail: [] },
    { detail: { text: 'x'.repeat(limits.auditDetailMax) } },
    { detail: JSON.parse(`${'{"a":'.repeat(limits.auditDetailDepthMax)}{}${'}'.repeat(limits.auditDetailDepthMax)}`) },
  ];
  for (const changes of bad)
    t.match(decodeEvent(bytesWith(changes)), { kind: 'not-an-event' }, JSON.stringify(changes).slice(0, 80));
});

t.test('what version 2 says is refused outside its grammar, and in version 1 altogether', async (t) => {
  const { credential, decision } = told;
  const rule = decision?.rule;
  const bad: Record<string, unknown>[] = [
    { credential: { ...credential, kind: 'password' } },
    { credential: { ...credential, id: '' } },
    { credential: { ...credential, id: 'a\u0000b' } },
    { credential: { kind: 'token' } },
    { credential: { ...credential, secret: 'x' } },
    { address: 'example.org' },
    { address: '2001:DB8::1' },
    { address: 'fe80::1%eth0' },
    { address: '192.0.2.300' },
    { decision: {} },
    { decision: { ...decision, reason: 'Because' } },
    { decision: { ...decision, capability: 'doc.teleport' } },
    { decision: { ...decision, rule: { ...rule, effect: 'maybe' } } },
    { decision: { ...decision, rule: { ...rule, place: { kind: 'folder' } } } },
    { decision: { ...decision, roles: ['Admin'] } },
    { decision: { ...decision, roles: 'admin' } },
    { decision: { ...decision, rules: [{ kind: 'folder', id: placeId, version: 0 }] } },
    { decision: { ...decision, rules: Array(100).fill({ kind: 'folder', id: placeId, version: 1 }) } },
    { decision: { ...decision, extra: 1 } },
  ];
  for (const changes of bad) t.match(decodeEvent(bytesWith(changes, told)), { kind: 'not-an-event' }, JSON.stringify(changes));
  t.same(decodeEvent(bytesWith({}, told)), told, 'as it is');
  for (const changes of [{ credential }, { address: '192.0.2.1' }, { decision }, { outcome: 'failed' }]) {
    t.match(decodeEvent(bytesWith(changes, old)), { kind: 'not-an-event' }, JSON.stringify(changes));
  }
});

t.test('bytes in any other form than the canonical one are refused', async (t) => {
  const text = encodeEvent(full).toString();
  const bad = [
    '',
    `${text} `,
    `\ufeff${text}`,
    text.slice(0, -1),
    text.replace('"v":2', '"v":2,"v":2'),
    text.replace('"v":2', '"v":2.0'),
    text.replace('"v":2', '"v":2e0'),
    text.replace('[0,4095]', '[-0,4095]'),
    text.replace('Ä', '\\u00c4'),
    text.replace('/26', '\\/26'),
    text.replace('{"action"', '{ "action"'),
    text.replace('"none":null', '"none":"\\ud800"'),
    text.replace('"none":null', `"none":${'['.repeat(500)}${']'.repeat(500)}`),
    text.replace('1.5', '1e400'),
  ];
  for (const wrong of bad) t.match(decodeEvent(Buffer.from(wrong)), { kind: 'not-canonical' }, wrong.slice(0, 40));
  t.match(decodeEvent(Buffer.from([0x7b, 0xff, 0x7d])), { kind: 'not-canonical' });
  t.match(decodeEvent(Buffer.alloc(limits.auditEventMax + 1, 0x20)), { kind: 'not-an-event' });
});

t.test('every truncation is refused', async (t) => {
  const bytes = encodeEvent(full);
  for (let size = 0; size < bytes.length; size++)
    if (!(decodeEvent(bytes.subarray(0, size)) instanceof EventFault)) t.fail(`${size}`);
});

t.test('what breaks the shape is not encoded', async (t) => {
  const spoil = (changes: object) => () => encodeEvent({ ...full, ...changes });
  t.throws(spoil({ reason: 'Because' }), { code: 'internal', message: /reason/ });
  t.throws(spoil({ extra: 1 }), { code: 'internal', message: /extra/ });
  t.throws(spoil({ detail: { text: 'x'.repeat(limits.auditEventMax) } }), { code: 'internal' });
  t.throws(spoil({ detail: { text: '\ud800' } }), { code: 'bad_body', details: { pointer: '/detail/text' } });
  t.throws(spoil({ detail: { number: Number.NaN } }), { code: 'bad_body' });
});

t.test('the largest event there can be is within the limit', async (t) => {
  const wide = '\u{1f4c4}';
  const event = sampleEvent(1, {
    action: auditActions.reduce((long, name) => (name.length > long.length ? name : long)),
    resource: { kind: 'migration', id: wide.repeat(limits.auditResourceIdMax / wide.length), version: plain.orgId },
    reason: 'r'.repeat(64),
    requestId: '"'.repeat(limits.requestIdMax),
    reads: { ...window, count: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER },
    detail: { t: 'x'.repeat(limits.auditDetailMax - '{"t":""}'.length) },
    credential: { kind: 'token', id: '\u20ac'.repeat(limits.tokenNameMax), issuer: '\u20ac'.repeat(512) },
    address: '2001:db8:1111:2222:3333:4444:5555:6666',
    decision: {
      ...{ reason: 'nothing_allows', capability: 'observability.read', roles: ['admin', 'clerk', 'reader', 'auditor'] },
      rule: { id: ruleId, effect: 'allow', place: { kind: 'document', id: placeId } },
      rules: Array(limits.folderDepthMax + 2).fill({ kind: 'document', id: placeId, version: 2 ** 31 - 1 }),
    },
  });
  t.same(decodeEvent(encodeEvent(event)), event);
});

t.test('two events never share bytes, whatever their texts hold', async () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      const one = encodeEvent(sampleEvent(1, { detail: { [a]: b } }));
      const other = encodeEvent(sampleEvent(1, { detail: { [c]: d } }));
      return one.equals(other) === (a === c && b === d);
    }),
  );
});

t.test('the lists of actions and kinds only grow', async (t) => {
  for (const list of [auditActions, auditResourceKinds, auditPrincipalKinds] as const) t.equal(new Set(list).size, list.length);
  for (const action of auditActions) t.match(action, /^[a-z_]+\.[a-z_]+$/);
  for (const capability of capabilities) t.ok(auditActions.includes(capability), `a decision about ${capability} can be told`);
  // A name that went missing or moved here makes old logs unreadable.
  t.equal(auditActions.indexOf('doc.read'), 3);
  t.equal(auditActions.indexOf('org.recover'), auditActions.length - 1);
});
