import t from 'tap';
import { encodeEvent } from '../../src/audit/event.ts';
import { SequencerLoop } from '../../src/audit/sequencer-loop.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Scope } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { type ConnectionPool, type Queries, withTransaction } from '../../src/database/transaction.ts';
import { appendEvents } from '../helpers/append-events.ts';
import { eventOf, eventsOf, openAuditDatabase } from '../helpers/audit-database.ts';

const database = await openAuditDatabase(t);
const { pool, admin, log, sequencer, sequencerOn, newLog, append, write, sequence, verify, listRequests } = database;

interface HeldTransaction {
  /** Resolves when it has stored what it stores. */
  readonly begun: Promise<void>;
  commit(): Promise<void>;
}

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Stores event `index` and stays open; before it stores, it only takes its number when `late`. */
function holdTransaction(scope: Scope, index: number, { late = false } = {}): HeldTransaction {
  const begun = gate();
  const release = gate();
  const done = withTransaction(pool, scope, async (transaction) => {
    if (late) await transaction.query('SELECT pg_current_xact_id()');
    else await appendEvents(transaction, [eventOf(scope, index)]);
    begun.resolve();
    await release.promise;
    if (late) await appendEvents(transaction, [eventOf(scope, index)]);
  });
  return {
    begun: begun.promise,
    commit: () => {
      release.resolve();
      return done;
    },
  };
}

t.test('events get their numbers in the order in which a transaction stored them', async (t) => {
  const scope = await newLog();
  await append(scope, eventsOf(scope, 0, 5));
  await append(scope, eventsOf(scope, 5, 7));
  t.equal(await log.getSize(scope), 0, 'none before the sequencer ran');
  t.equal(await sequence(), 7);
  t.strictSame(
    await listRequests(scope),
    Array.from({ length: 7 }, (_, index) => `request-${index}`),
  );
  t.equal(await sequence(), 0);
});

t.test('what a transaction stored is gone when it rolls back', async (t) => {
  const scope = await newLog();
  const failing = withTransaction(pool, scope, async (transaction) => {
    await appendEvents(transaction, eventsOf(scope, 0, 3));
    throw new Error('rolled back');
  });
  await t.rejects(failing, { message: 'rolled back' });
  await append(scope, [eventOf(scope, 3)]);
  await sequence();
  t.strictSame(await listRequests(scope), ['request-3']);
});

t.test('transactions that commit in the other order than they began both get their numbers', async (t) => {
  const scope = await newLog();
  const first = holdTransaction(scope, 1);
  await first.begun;
  const second = holdTransaction(scope, 2);
  await second.begun;
  await second.commit();
  t.equal(await sequence(), 1);
  await first.commit();
  t.equal(await sequence(), 1);
  t.strictSame(await listRequests(scope), ['request-2', 'request-1']);
});

t.test('a transaction that is held open holds up no other, and comes later', async (t) => {
  const scope = await newLog();
  const stored = holdTransaction(scope, 1);
  const numbered = holdTransaction(scope, 2, { late: true });
  await Promise.all([stored.begun, numbered.begun]);
  for (const begin of [10, 20]) {
    await append(scope, eventsOf(scope, begin, begin + 10));
    t.equal(await sequence(), 10);
    await sequencer.sign();
  }
  await numbered.commit();
  t.equal(await sequence(), 1);
  await stored.commit();
  t.equal(await sequence(), 1);
  t.strictSame((await listRequests(scope)).slice(20), ['request-2', 'request-1']);
  t.match(await verify(scope), { ok: true, size: 22, signedSize: 20 });
});

t.test('when nothing is open, the sequencer has nowhere to look', async (t) => {
  const scope = await newLog();
  const held = holdTransaction(scope, 1);
  await held.begun;
  await append(scope, [eventOf(scope, 2)]);
  await sequence();
  await held.commit();
  await sequence();
  const { rows } = await pool.query('SELECT * FROM audit.list_waiting_orgs()');
  t.strictSame(rows, []);
});

t.test('5,000 events of writers at once, with two sequencers at once, are all there once', async (t) => {
  const scope = await newLog();
  const other = sequencerOn(pool);
  let writing = true;
  const write = async (writer: number) => {
    for (let at = 0; at < 625; at += 25) {
      const begin = writer * 625 + at;
      await append(scope, eventsOf(scope, begin, begin + 25));
    }
  };
  const keepOn = async (by: typeof sequencer) => {
    while (writing) {
      t.equal((await by.sequence()).failures, 0);
      t.equal((await by.sign()).failures, 0);
    }
  };
  const sequencers = [keepOn(sequencer), keepOn(other)];
  await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
  writing = false;
  await Promise.all(sequencers);
  await sequence();
  await sequencer.sign();
  t.match(await verify(scope), { ok: true, size: 5000, signedSize: 5000, findings: [] });
  const requests = await listRequests(scope);
  t.equal(new Set(requests).size, 5000);
  for (let writer = 0; writer < 8; writer++) {
    const own = requests.map((request) => Number(request.slice('request-'.length))).filter((n) => Math.floor(n / 625) === writer);
    t.strictSame(
      own,
      [...own].sort((left, right) => left - right),
      'what committed later has the larger number',
    );
  }
});

t.test('while one sequencer is at work, another does nothing', async (t) => {
  const scope = await newLog();
  await append(scope, eventsOf(scope, 0, 3));
  await pool.withConnection(async (connection) => {
    await connection.query('BEGIN');
    t.match(await connection.query('SELECT locked FROM audit.open_log($1)', [scope.orgId]), { rows: [{ locked: true }] });
    t.strictSame(await sequencer.sequence(), { added: 0, failures: 0 });
    await connection.query('ROLLBACK');
  });
  t.equal(await sequence(), 3);
});

/** Its server process dies before the statement number `dieAt`, as counted from 0 over all its transactions. */
function dyingPool(dieAt: number): ConnectionPool {
  let count = 0;
  const step = async (connection: Queries) => {
    if (count++ !== dieAt) return;
    const { rows } = await connection.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await admin.query('SELECT pg_terminate_backend($1, 10000)', [rows[0]?.pid]);
  };
  return {
    query: (text, values) => pool.query(text, values),
    change: (text, values) => pool.change(text, values),
    withConnection: (work) =>
      pool.withConnection((connection) => {
        const query: Queries['query'] = (text, values) => step(connection).then(() => connection.query(text, values));
        const begin: typeof connection.begin = (...how) => step(connection).then(() => connection.begin(...how));
        return work({ query, change: query, begin, commit: () => step(connection).then(() => connection.commit()) });
      }),
  };
}

t.test('a sequencer that dies at any statement leaves a log that the next one continues', async (t) => {
  const scope = await newLog();
  await write(scope, eventsOf(scope, 0, 5));
  await append(scope, eventsOf(scope, 5, 12));
  let deaths = 0;
  for (let dieAt = 0; dieAt < 20; dieAt++) {
    const { failures, added } = await sequencerOn(dyingPool(dieAt)).sequence();
    if (failures === 0) {
      t.equal(added, 7, 'nothing of the ones that died was left');
      break;
    }
    deaths += 1;
    t.equal(await log.getSize(scope), 5);
  }
  t.ok(deaths >= 6, 'it died at every statement');
  for (let dieAt = 0; (await sequencerOn(dyingPool(dieAt)).sign()).failures > 0; dieAt++)
    t.equal((await log.findCheckpoint(scope))?.size, 5);
  t.match(await verify(scope), { ok: true, size: 12, signedSize: 12 });
});

t.test('a clock that goes back changes no order, neither of events nor of checkpoints', async (t) => {
  const scope = await newLog();
  let now = 1_790_000_000_000;
  const backwards = sequencerOn(pool, { ...systemClock, now: () => now });
  for (let index = 0; index < 4; index++) {
    now -= 3_600_000;
    await append(scope, [eventOf(scope, index, { time: new Date(now).toISOString() })]);
    await backwards.sequence();
    t.equal((await backwards.sign()).added, 1);
  }
  t.strictSame(await listRequests(scope), ['request-0', 'request-1', 'request-2', 'request-3']);
  t.match(await verify(scope), { ok: true, size: 4, signedSize: 4 });
});

t.test('numbers of transactions from another server hide nothing', async (t) => {
  const scope = await newLog();
  await write(scope, eventsOf(scope, 0, 3));
  await append(scope, eventsOf(scope, 3, 6));
  for (const table of ['event', 'leaf'])
    await admin.query(`UPDATE audit.${table} SET xid = (xid::text::numeric + 1000000)::text::xid8 WHERE org_id = $1`, [
      scope.orgId,
    ]);
  await admin.query("UPDATE audit.progress SET server = 1, floor = '5000000' WHERE org_id = $1", [scope.orgId]);
  await append(scope, eventsOf(scope, 6, 8));
  t.equal(await sequence(), 5);
  await append(scope, [eventOf(scope, 8)]);
  t.equal(await sequence(), 1);
  await sequencer.sign();
  t.equal(new Set(await listRequests(scope)).size, 9);
  t.match(await verify(scope), { ok: true, size: 9, signedSize: 9 });
});

t.test('bytes that are no event get their leaf, and the log goes on', async (t) => {
  const scope = await newLog();
  const id = eventOf(scope, 0).eventId;
  const bytes = [Buffer.from('{"not":"an event"}'), Buffer.from([0xff, 0xfe, 0x00]), encodeEvent(eventOf(scope, 2))];
  await withTransaction(pool, scope, ({ query }) => query('SELECT audit.append($1, $2, $3)', [scope.orgId, [id, id, id], bytes]));
  t.equal(await sequence(), 3);
  const { findings } = await verify(scope);
  t.match(findings, [{ kind: 'not-an-event', leaf: 0 }, { kind: 'not-canonical', leaf: 1 }, { kind: 'no-checkpoint' }]);
});

t.test('logs of several orgs grow side by side', async (t) => {
  const scopes = await Promise.all(Array.from({ length: 3 }, newLog));
  for (const scope of scopes) await append(scope, eventsOf(scope, 0, 4));
  t.match(await sequencer.sequence(), { added: 12, failures: 0 });
  t.match(await sequencer.sign(), { failures: 0 });
  for (const scope of scopes) t.match(await verify(scope), { ok: true, size: 4, signedSize: 4 });
});

t.test('a loop numbers and signs until it is closed', async (t) => {
  const scope = await newLog();
  await append(scope, eventsOf(scope, 0, 3));
  const loop = SequencerLoop.start({ sequencer, clock: systemClock, log: silentLog });
  while ((await log.findCheckpoint(scope)) === undefined) await new Promise((resolve) => setImmediate(resolve));
  await append(scope, eventsOf(scope, 3, 5));
  await loop.close();
  await loop.close();
  t.match(await verify(scope), { ok: true, size: 5, signedSize: 5 }, 'what was committed before the end is signed at the end');
  const { leaves, checkpoints, signedMs } = loop.statistics;
  t.ok(leaves >= 5 && checkpoints >= 1 && signedMs > 0, 'it counts what it does');
});

t.test('the application may add to a log, and change nothing in it', async (t) => {
  const scope = await newLog();
  await write(scope, eventsOf(scope, 0, 3));
  const refused = [
    "UPDATE audit.event SET bytes = '{}'",
    'DELETE FROM audit.event',
    'TRUNCATE audit.event',
    'UPDATE audit.leaf SET leaf = leaf + 1',
    'DELETE FROM audit.leaf',
    'UPDATE audit.subtree SET hash = hash',
    'DELETE FROM audit.subtree',
    "UPDATE audit.checkpoint SET note = ''",
    'DELETE FROM audit.checkpoint',
    'DELETE FROM audit.progress',
    `INSERT INTO audit.event (org_id, event_id, bytes, xid) VALUES ('${scope.orgId}', '${scope.orgId}', '{}', '1')`,
  ];
  for (const text of refused) {
    const attempt = withTransaction(pool, scope, ({ query }) => query(text));
    await t.rejects(attempt, { cause: { code: '42501' } }, text);
  }
  t.match(await verify(scope), { ok: true, size: 3 });
});
