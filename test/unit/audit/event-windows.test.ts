import { mock } from 'node:test';
import t from 'tap';
import { type AuditEvent, decodeEvent } from '../../../src/audit/event.ts';
import { EventWindows } from '../../../src/audit/event-windows.ts';
import { EventWriter } from '../../../src/audit/event-writer.ts';
import type { NoteContext } from '../../../src/audit/note-maker.ts';
import type { Deed } from '../../../src/core/actor.ts';
import { systemClock, toTimestamp } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { type Log, silentLog } from '../../../src/core/log.ts';
import { HeldQueries, settled } from '../../helpers/held-queries.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const orgId = newId<OrgId>(systemClock);
const context: NoteContext = {
  orgId,
  principal: { kind: 'user', id: newId<PrincipalId>(systemClock) },
  outcome: 'allowed',
  reason: 'role_allows',
  requestId: 'r1',
};

function readOf(version = newId<PrincipalId>(systemClock) as string): Deed {
  return { action: 'blob.read', resource: { kind: 'document', id: newId<PrincipalId>(systemClock), version } };
}

function open(t: { teardown(handler: () => Promise<void>): void }, log: Log = silentLog) {
  const queries = new HeldQueries();
  const clock = standingClock();
  const windows = new EventWindows({ writer: new EventWriter(queries), clock, log });
  t.teardown(() => {
    queries.release();
    return windows.close();
  });
  return { queries, clock, windows };
}

/** In the order in which their statements began. */
function eventsOf({ asked }: HeldQueries): AuditEvent[] {
  return asked.flatMap(({ values }) => (values[2] as Buffer[]).map((bytes) => decodeEvent(bytes) as AuditEvent));
}

/** Opens a window and waits until its first event is stored. */
async function openWindow({ queries, windows }: ReturnType<typeof open>, deed: Deed, bytes = 0): Promise<void> {
  const noted = windows.note(context, deed, bytes);
  await settled();
  queries.asked.at(-1)?.succeed();
  await noted;
}

t.test('the first read resolves once its event is durable, and not before', async (t) => {
  const { queries, windows } = open(t);
  let resolved = false;
  const noted = Promise.resolve(windows.note(context, readOf(), 100)).then(() => {
    resolved = true;
  });
  await settled();
  t.equal(queries.asked.length, 1);
  t.equal(resolved, false);
  queries.asked[0]?.succeed();
  await noted;
  t.match(eventsOf(queries), [{ action: 'blob.read', outcome: 'allowed', reason: 'role_allows', detail: { bytes: 100 } }]);
});

t.test('readers that come while the first event is on its way wait for the same one', async (t) => {
  const { queries, windows } = open(t);
  const deed = readOf();
  const first = windows.note(context, deed, 1);
  const second = windows.note(context, deed, 1);
  t.equal(first, second);
  await settled();
  t.equal(eventsOf(queries).length, 1);
  queries.asked[0]?.succeed();
  await first;
});

t.test('a read that is only counted returns no promise and writes nothing', async (t) => {
  const opened = open(t);
  const deed = readOf();
  await openWindow(opened, deed, 1);
  for (let count = 0; count < 10; count++) t.equal(opened.windows.note(context, deed, 1), undefined);
  await settled();
  t.equal(opened.queries.asked.length, 1);
});

t.test('when the first event cannot be stored every reader is told, and the next one tries again', async (t) => {
  const { queries, windows } = open(t);
  const deed = readOf();
  const noted = [windows.note(context, deed, 1), windows.note(context, deed, 1)];
  await settled();
  queries.asked[0]?.fail(new Error('no database'));
  for (const one of noted) await t.rejects(Promise.resolve(one), { message: 'no database' });
  t.equal(windows.count, 0);
  const again = windows.note(context, deed, 1);
  await settled();
  queries.asked[1]?.succeed();
  await again;
  t.equal(windows.note(context, deed, 1), undefined);
});

t.test('who asks, what for, why it was decided and what it is about each have a window of their own', async (t) => {
  const opened = open(t);
  const deed = readOf();
  await openWindow(opened, deed);
  const others: [NoteContext, Deed][] = [
    [{ ...context, orgId: newId<OrgId>(systemClock) }, deed],
    [{ ...context, principal: { kind: 'user', id: newId<PrincipalId>(systemClock) } }, deed],
    [{ ...context, outcome: 'denied' }, deed],
    [{ ...context, reason: 'rule_allows' }, deed],
    [
      { ...context, outcome: 'failed' },
      { ...deed, detail: { request: 'PUT /a' } },
    ],
    [
      { ...context, outcome: 'failed' },
      { ...deed, detail: { request: 'PUT /b' } },
    ],
    [{ ...context, address: '192.0.2.1' }, deed],
    [{ ...context, address: '192.0.2.2' }, deed],
    [{ ...context, credential: { kind: 'api_key', id: 'a' } }, deed],
    [{ ...context, credential: { kind: 'api_key', id: 'b' } }, deed],
    [{ ...context, decided: { key: 'role version 1', describe: () => ({ reason: 'role_allows' }) } }, deed],
    [{ ...context, decided: { key: 'role version 2', describe: () => ({ reason: 'role_allows' }) } }, deed],
    [context, { ...deed, action: 'doc.read' }],
    [context, { ...deed, resource: { kind: 'document', id: deed.resource.id } }],
    [context, { ...deed, resource: { ...deed.resource, id: newId<PrincipalId>(systemClock) } }],
    [context, { ...deed, resource: { ...deed.resource, kind: 'upload' } }],
  ];
  for (const [who, what] of others) t.type(opened.windows.note(who, what, 0), Promise);
  t.equal(opened.windows.note({ ...context, requestId: 'r2' }, deed, 0), undefined, 'another request of the same kind has not');
});

t.test('a window ends after five minutes: the next read opens another, and the counters of the first are written', async (t) => {
  const opened = open(t);
  const { queries, clock, windows } = opened;
  const deed = readOf();
  const startedAt = clock.now();
  await openWindow(opened, deed, 10);
  clock.advance(limits.auditWindowMs - 1);
  t.equal(windows.note(context, deed, 20), undefined);
  const lastAt = clock.now();
  clock.advance(1);
  const noted = windows.note({ ...context, requestId: 'r2' }, deed, 30);
  t.type(noted, Promise);
  await settled();
  queries.release();
  await noted;
  await settled();
  const events = eventsOf(queries);
  t.equal(events.length, 3);
  const [closing] = events.filter(({ reads }) => reads !== undefined);
  t.strictSame(closing?.reads, {
    ...{ count: 2, bytes: 30 },
    ...{ windowStart: toTimestamp(startedAt), windowEnd: toTimestamp(lastAt) },
  });
  t.match(closing, { action: deed.action, resource: deed.resource, principal: context.principal, requestId: 'r1', detail: {} });
});

t.test('a window in which nothing else was read ends without an event', async (t) => {
  const opened = open(t);
  await openWindow(opened, readOf(), 10);
  await opened.windows.close();
  t.equal(opened.queries.asked.length, 1);
});

t.test('windows that ended are closed though nobody reads on, a statement full at a time, and others stay open', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(async () => mock.timers.reset());
  const opened = open(t);
  const { queries, clock, windows } = opened;
  const deeds = Array.from({ length: limits.auditWriteBatchMax + 2 }, () => readOf());
  const noted = deeds.map((deed) => windows.note(context, deed, 1));
  queries.release();
  await Promise.all(noted);
  for (const deed of deeds) t.equal(windows.note(context, deed, 1), undefined);
  clock.advance(1000);
  const late = readOf();
  await windows.note(context, late, 1);
  clock.advance(limits.auditWindowMs - 1001);
  mock.timers.tick(limits.auditWindowSweepMs);
  t.equal(windows.count, deeds.length + 1, 'a moment before nothing has ended');
  clock.advance(1);
  mock.timers.tick(limits.auditWindowSweepMs);
  for (let turn = 0; turn < 4; turn++) await settled();
  t.equal(windows.count, 1);
  t.equal(eventsOf(queries).filter(({ reads }) => reads?.count === 2).length, deeds.length);
  t.equal(windows.note(context, late, 1), undefined);
});

t.test('closing waits until all counters are stored', async (t) => {
  const opened = open(t);
  const deeds = [readOf(), readOf()];
  for (const deed of deeds) {
    await openWindow(opened, deed, 1);
    opened.windows.note(context, deed, 1);
  }
  let closed = false;
  const closing = opened.windows.close().then(() => {
    closed = true;
  });
  await settled();
  t.equal(closed, false);
  opened.queries.asked.at(-1)?.succeed();
  await closing;
  t.equal(eventsOf(opened.queries).filter(({ reads }) => reads?.count === 2).length, 2);
});

t.test('closing waits for counters of windows that ended before, too', async (t) => {
  const opened = open(t);
  const deed = readOf();
  await openWindow(opened, deed, 1);
  opened.windows.note(context, deed, 1);
  opened.clock.advance(limits.auditWindowMs);
  const next = opened.windows.note(context, deed, 1);
  await settled();
  // One statement: that of the new window. The counters of the old one may share it or follow it.
  let closed = false;
  const closing = opened.windows.close().then(() => {
    closed = true;
  });
  await settled();
  t.equal(closed, false);
  opened.queries.release();
  await Promise.all([next, closing]);
  t.equal(eventsOf(opened.queries).filter(({ reads }) => reads?.count === 2).length, 1);
});

t.test('counters never come before the event that opened their window, nor at all when that failed', async (t) => {
  for (const fails of [false, true]) {
    const { queries, windows } = open(t);
    const deed = readOf();
    const noted = [windows.note(context, deed, 1), windows.note(context, deed, 1)].map((one) =>
      Promise.resolve(one).catch(() => undefined),
    );
    await settled();
    const closing = windows.close();
    await settled();
    t.equal(queries.asked.length, 1);
    if (fails) queries.asked[0]?.fail(new Error('no database'));
    else queries.asked[0]?.succeed();
    await Promise.all(noted);
    await settled();
    t.equal(queries.asked.length, fails ? 1 : 2);
    queries.asked[1]?.succeed();
    await closing;
  }
});

t.test('counters that cannot be stored are logged with what they say', async (t) => {
  const logged: unknown[] = [];
  const opened = open(t, { ...silentLog, error: (fields) => logged.push(fields) });
  const deed = readOf();
  await openWindow(opened, deed, 5);
  opened.windows.note(context, deed, 7);
  const closing = opened.windows.close();
  await settled();
  opened.queries.asked[1]?.fail(new Error('no database'));
  await closing;
  t.match(logged, [{ orgId, action: 'blob.read', resource: deed.resource, reads: { count: 2, bytes: 12 } }]);
});

t.test('windows are bounded: with one too many the oldest ends', async (t) => {
  const opened = open(t);
  const [oldest, second] = [readOf(), readOf()];
  await openWindow(opened, oldest);
  await openWindow(opened, second);
  const noted: unknown[] = [];
  for (let count = 2; count < limits.auditWindowsMax; count++) noted.push(opened.windows.note(context, readOf(), 0));
  t.equal(opened.windows.note(context, oldest, 0), undefined, 'there is room for all of these');
  noted.push(opened.windows.note(context, readOf(), 0));
  t.equal(opened.windows.count, limits.auditWindowsMax);
  t.equal(opened.windows.note(context, second, 0), undefined);
  opened.queries.release();
  await Promise.all(noted);
  await opened.windows.close();
  const [counters] = eventsOf(opened.queries).filter(({ reads }) => reads !== undefined);
  t.match(counters, { resource: oldest.resource, reads: { count: 2 } });
});

t.test('setting the clock back neither prolongs a window nor makes one end before it starts', async (t) => {
  const queries = new HeldQueries();
  const standing = standingClock();
  let shift = 0;
  const clock = { ...standing, now: () => standing.now() + shift };
  const windows = new EventWindows({ writer: new EventWriter(queries), clock, log: silentLog });
  const opened = { queries, windows, clock: standing };
  const deed = readOf();
  await openWindow(opened, deed);
  shift = -3_600_000;
  t.equal(windows.note(context, deed, 0), undefined);
  standing.advance(limits.auditWindowMs);
  t.type(windows.note(context, deed, 0), Promise);
  queries.release();
  await windows.close();
  const [counters] = eventsOf(queries).filter(({ reads }) => reads !== undefined);
  t.equal(counters?.reads?.windowEnd, counters?.reads?.windowStart);
});
