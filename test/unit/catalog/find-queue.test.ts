import { setImmediate as endOfTurn } from 'node:timers/promises';
import t from 'tap';
import { FindQueue, type QueuedFind, takeFinds } from '../../../src/catalog/find-queue.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type DocumentId, newId, type OrgId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';

const orgId = newId<OrgId>(systemClock);

function queued(of = orgId): QueuedFind {
  return {
    orgId: of,
    documentId: newId<DocumentId>(systemClock),
    versionId: undefined,
    resolve: () => undefined,
    reject: () => undefined,
  };
}

t.test('look-ups of one turn travel together, and each has its own answer or failure', async (t) => {
  const sizes: number[] = [];
  const queue = new FindQueue(async (batch) => {
    sizes.push(batch.length);
    batch[0]?.resolve(undefined);
    batch[1]?.reject(new Error('no answer'));
  });
  const ask = () => queue.add(orgId, newId<DocumentId>(systemClock), undefined);
  const [first, second] = [ask(), ask()];
  second.catch(() => undefined);
  await endOfTurn();
  t.strictSame(sizes, [2]);
  t.equal(await first, undefined);
  await t.rejects(second, { message: 'no answer' });
});

t.test('a batch has a bound, belongs to one org, and what is left keeps its order', async (t) => {
  const many = Array.from({ length: limits.findBatchMax + 1 }, () => queued());
  t.equal(takeFinds(many).length, limits.findBatchMax);
  t.equal(many.length, 1);
  const waiting = [queued(), queued(), queued(newId<OrgId>(systemClock)), queued()];
  t.strictSame(
    [takeFinds(waiting), takeFinds(waiting), takeFinds(waiting), takeFinds(waiting)].map(({ length }) => length),
    [2, 1, 1, 0],
  );
});
