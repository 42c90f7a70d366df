import t from 'tap';
import { EventWriter } from '../../../src/audit/event-writer.ts';
import type { AuditNote } from '../../../src/core/actor.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type AuditEventId, newId, type OrgId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { HeldQueries, settled } from '../../helpers/held-queries.ts';

const [one, other] = [newId<OrgId>(systemClock), newId<OrgId>(systemClock)];

function newNote(): AuditNote {
  return { id: newId<AuditEventId>(systemClock), bytes: Buffer.from('{}') };
}

/** What became of a promise so far. */
function fateOf(promise: Promise<void>): { state: string } {
  const fate = { state: 'waiting' };
  promise.then(
    () => {
      fate.state = 'stored';
    },
    (error: Error) => {
      fate.state = error.message;
    },
  );
  return fate;
}

t.test('notes of one turn share a statement, those of another org have their own', async (t) => {
  const queries = new HeldQueries();
  const writer = new EventWriter(queries);
  const notes = Array.from({ length: 5 }, newNote);
  const fates = [one, one, one, other, other].map((org, index) => fateOf(writer.append(org, notes[index] as AuditNote)));
  await settled();
  t.strictSame(
    queries.asked.map(({ values: [org, ids] }) => [org, ids]),
    [
      [one, notes.slice(0, 3).map(({ id }) => id)],
      [other, notes.slice(3).map(({ id }) => id)],
    ],
  );
  t.ok(
    fates.every(({ state }) => state === 'waiting'),
    'nothing is stored before its statement has succeeded',
  );
  queries.asked[1]?.succeed();
  await settled();
  t.strictSame(
    fates.map(({ state }) => state),
    ['waiting', 'waiting', 'waiting', 'stored', 'stored'],
  );
  queries.asked[0]?.succeed();
  await settled();
  t.ok(fates.every(({ state }) => state === 'stored'));
});

t.test('a statement that fails fails its own notes, and the next ones go on', async (t) => {
  const queries = new HeldQueries();
  const writer = new EventWriter(queries);
  const failing = fateOf(writer.append(one, newNote()));
  await settled();
  const following = fateOf(writer.append(one, newNote()));
  await settled();
  queries.asked[0]?.fail(new Error('no database'));
  queries.asked[1]?.succeed();
  await settled();
  t.equal(failing.state, 'no database');
  t.equal(following.state, 'stored');
  const last = fateOf(writer.append(one, newNote()));
  await settled();
  queries.asked[2]?.succeed();
  await settled();
  t.equal(last.state, 'stored');
});

t.test('statements under way and notes in each are bounded; what waits meanwhile travels together', async (t) => {
  const queries = new HeldQueries();
  const writer = new EventWriter(queries);
  const count = limits.auditWriteBatchMax * 3 + 1;
  const fates: { state: string }[] = [];
  for (let index = 0; index < count; index++) fates.push(fateOf(writer.append(one, newNote())));
  await settled();
  t.equal(queries.asked.length, limits.auditWriteLanes);
  for (let index = 0; index < queries.asked.length; index++) {
    queries.asked[index]?.succeed();
    await settled();
  }
  t.strictSame(
    queries.asked.map(({ values }) => (values[1] as unknown[]).length),
    [limits.auditWriteBatchMax, limits.auditWriteBatchMax, limits.auditWriteBatchMax, 1],
  );
  t.ok(fates.every(({ state }) => state === 'stored'));
});
