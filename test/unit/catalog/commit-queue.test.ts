import { setImmediate as endOfTurn } from 'node:timers/promises';
import t from 'tap';
import type { CommitOutcome } from '../../../src/catalog/catalog.ts';
import { CommitQueue, type QueuedCommit, takeBatch } from '../../../src/catalog/commit-queue.ts';
import { commitDeed } from '../../../src/catalog/deeds.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { actorIn } from '../../helpers/actor.ts';
import { versionWish } from '../../helpers/version-wish.ts';

const scope = newScope();
const done: CommitOutcome = { kind: 'document_exists' };

function newScope() {
  return actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
}

function queued(of = scope, pagesSize = 0): QueuedCommit {
  const pages = pagesSize === 0 ? [] : [Buffer.alloc(pagesSize)];
  const wish = versionWish({ pages });
  return { by: of, wish, note: of.note(commitDeed(wish)), resolve: () => undefined, reject: () => undefined };
}

/** A queue whose statements end when they are told to. */
function heldQueue() {
  const batches: { size: number; end: () => void }[] = [];
  const queue = new CommitQueue((batch) => {
    return new Promise((resolve) => {
      const end = () => {
        for (const commit of batch) commit.resolve(done);
        resolve();
      };
      batches.push({ size: batch.length, end });
    });
  });
  return { queue, batches };
}

t.test('calls of one turn travel together, later ones wait for a free lane', async (t) => {
  const { queue, batches } = heldQueue();
  const add = (count: number) => Array.from({ length: count }, () => queue.add(queued()));
  const first = add(3);
  await endOfTurn();
  t.strictSame(
    batches.map(({ size }) => size),
    [3],
  );
  for (let lane = 1; lane < limits.commitLanes; lane++) {
    add(1);
    await endOfTurn();
  }
  const late = add(5);
  await endOfTurn();
  t.equal(batches.length, limits.commitLanes, 'no more than the lanes');
  batches[0]?.end();
  await Promise.all(first);
  await endOfTurn();
  t.equal(batches.at(-1)?.size, 5);
  batches.at(-1)?.end();
  t.strictSame(
    await Promise.all(late),
    Array.from({ length: 5 }, () => done),
  );
});

t.test('a batch has a bound, and what is left keeps its order', async (t) => {
  const waiting = Array.from({ length: limits.commitBatchMax + 2 }, () => queued());
  const [last] = waiting.slice(-1);
  t.equal(takeBatch(waiting).length, limits.commitBatchMax);
  t.equal(waiting.length, 2);
  t.equal(waiting[1], last);
});

t.test('a batch belongs to one principal of one org', async (t) => {
  const colleague = { ...scope, principalId: newScope().principalId };
  const waiting = [queued(), queued(), queued(colleague), queued(newScope()), queued()];
  t.strictSame(
    [takeBatch(waiting).length, takeBatch(waiting).length, takeBatch(waiting).length, takeBatch(waiting).length],
    [2, 1, 1, 1],
  );
});

t.test('large manifests do not pile up in one statement, and one that is larger still goes alone', async (t) => {
  const half = limits.commitPagesBytesMax / 2;
  const waiting = [
    queued(scope, half),
    queued(scope, half),
    queued(scope, 1),
    queued(scope, limits.commitPagesBytesMax * 2),
    queued(),
  ];
  t.equal(takeBatch(waiting).length, 2);
  t.equal(takeBatch(waiting).length, 1);
  t.equal(takeBatch(waiting).length, 1);
  t.equal(takeBatch(waiting).length, 1);
  t.strictSame(takeBatch(waiting), []);
});
