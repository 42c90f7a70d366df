import fc from 'fast-check';
import t from 'tap';
import { type AuditEvent, encodeAnyEvent, encodeEvent } from '../../../src/audit/event.ts';
import { writeUsualEvent } from '../../../src/audit/usual-event.ts';
import { auditActions, auditPrincipalKinds, auditResourceKinds } from '../../../src/core/audit-action.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { sampleEvent } from '../../helpers/audit-log-fixture.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '\\', '\ud800', 'a b'),
);
const id = fc.oneof(fc.uuid(), fc.uuid({ version: 7 }), text);
const number = fc.oneof(fc.nat(), fc.integer(), fc.double(), fc.constantFrom(0, -0, 2 ** 53, Number.NaN));
const time = fc.oneof(
  fc.date({ min: new Date(0), max: new Date(Date.UTC(2100, 0)), noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .tuple(fc.nat(40), fc.nat(40), fc.nat(30), fc.nat(70))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')))
    .map(([month, day, hour, minute]) => `2028-${month}-${day}T${hour}:${minute}:00.000Z`),
);
const detail = fc.oneof(
  fc.constant({}),
  fc.dictionary(text, fc.anything({ maxDepth: 3 })),
  fc.object({ maxDepth: limits.auditDetailDepthMax + 2, values: [text, number, fc.boolean(), fc.constant(null)] }),
);

const credential = fc.record(
  { kind: fc.constantFrom('api_key', 'token'), id, issuer: text, extra: text },
  { requiredKeys: ['kind', 'id'] },
);
const places = fc.record({ kind: fc.constantFrom('document', 'folder', 'org'), id: fc.oneof(fc.uuid(), text) });
const decision = fc.record(
  {
    reason: fc.oneof(fc.constantFrom('role_allows', 'rule_denies'), text),
    capability: fc.oneof(fc.constantFrom('doc.read', 'doc.write'), text),
    rule: fc.record({ id, effect: fc.constantFrom('allow', 'deny'), place: places }),
    roles: fc.array(fc.oneof(fc.constantFrom('admin', 'clerk'), text)),
    rules: fc.array(fc.record({ kind: fc.constantFrom('document', 'org'), id: fc.uuid(), version: number })),
  },
  { requiredKeys: ['reason'] },
);

/** Mostly as events are, and wrong in every way that the types do not rule out. */
const someEvent = fc.record(
  {
    v: fc.constantFrom(1, 2, 2, 2, 3),
    orgId: id,
    eventId: id,
    time,
    principal: fc.record({ kind: fc.constantFrom(...auditPrincipalKinds), id }),
    action: fc.constantFrom(...auditActions),
    resource: fc.record({ kind: fc.constantFrom(...auditResourceKinds), id, version: id }, { requiredKeys: ['kind', 'id'] }),
    outcome: fc.constantFrom('allowed', 'denied', 'failed'),
    credential,
    address: fc.oneof(fc.ipV4(), fc.ipV6(), text),
    decision,
    reason: fc.oneof(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,63}$/), text),
    requestId: fc.oneof(fc.stringMatching(/^[!-~]{1,130}$/), text),
    detail,
    reads: fc.record({ count: number, bytes: number, windowStart: time, windowEnd: time }),
    extra: text,
  },
  {
    requiredKeys: [
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
    ],
  },
) as unknown as fc.Arbitrary<AuditEvent>;

function outcomeOf(encode: (event: AuditEvent) => Buffer, event: AuditEvent): string {
  try {
    return encode(event).toString('hex');
  } catch (error) {
    if (!(error instanceof QuasarError)) throw error;
    return `${error.code} ${error.message} ${JSON.stringify(error.details)}`;
  }
}

function agrees(event: AuditEvent): boolean {
  return outcomeOf(encodeEvent, event) === outcomeOf(encodeAnyEvent, event);
}

t.test('an event is written, or refused, as its shape alone would have it', async () => {
  fc.assert(fc.property(someEvent, agrees), { numRuns: 2000 });
});

t.test('changes to one member of a good event are written, or refused, as its shape alone would have it', async () => {
  const good = sampleEvent(1, {
    reads: { count: 1, bytes: 0, windowStart: sampleEvent(1).time, windowEnd: sampleEvent(2).time },
    credential: { kind: 'api_key', id: 'k' },
    address: '192.0.2.1',
    decision: { reason: 'role_allows', capability: 'doc.read', roles: ['admin'] },
  });
  fc.assert(
    fc.property(someEvent, fc.constantFrom(...Object.keys(good)), (event, name) =>
      agrees({ ...good, [name]: event[name as keyof AuditEvent] }),
    ),
    { numRuns: 3000 },
  );
});

t.test('every day of a leap year and of another is a time, and no other day', async (t) => {
  for (const year of [2027, 2028]) {
    for (let month = 0; month <= 13; month++) {
      for (let day = 0; day <= 32; day++) {
        const [mm, dd] = [month, day].map((part) => String(part).padStart(2, '0'));
        const event = sampleEvent(1, { time: `${year}-${mm}-${dd}T23:59:59.999Z` });
        if (!agrees(event)) t.fail(event.time);
        if (writeUsualEvent(event) === undefined && !outcomeOf(encodeAnyEvent, event).startsWith('internal')) {
          t.equal(event.time, '2028-02-29T23:59:59.999Z', 'the one day that goes the long way');
        }
      }
    }
  }
});

t.test('texts that need escapes go the long way', async (t) => {
  t.not(writeUsualEvent(sampleEvent(1)), undefined);
  for (const changes of [
    { requestId: '"' },
    { requestId: '\\' },
    { resource: { kind: 'token', id: 'a"b' } },
    { resource: { kind: 'token', id: '\u00e4' } },
    { v: 1 },
  ] as const) {
    t.equal(writeUsualEvent(sampleEvent(1, changes)), undefined);
    t.ok(agrees(sampleEvent(1, changes)));
  }
});

t.test('details are plain objects within their limits', async (t) => {
  const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });
  const details: unknown[] = [
    { t: 'x'.repeat(limits.auditDetailMax - '{"t":""}'.length) },
    { t: 'x'.repeat(limits.auditDetailMax) },
    { t: '\u00e4'.repeat(limits.auditDetailMax / 2) },
    nested(limits.auditDetailDepthMax - 1),
    nested(limits.auditDetailDepthMax),
    [],
    null,
    new Date(0),
    { at: new Date(0) },
    { [Symbol('a')]: 1 },
    { a: undefined },
    { a: -0 },
  ];
  for (const [index, value] of details.entries())
    t.ok(agrees(sampleEvent(1, { detail: value as AuditEvent['detail'] })), String(index));
});
