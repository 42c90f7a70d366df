import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import type { NodeId } from '../../../src/core/ids.ts';
import type { IndexEntry } from '../../../src/graviton/index-entry.ts';
import { LmdbBlockIndex } from '../../../src/graviton/lmdb-block-index.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const state = { nodeId: '018f0000-0000-7000-8000-000000000001' as NodeId, incarnation: 'ab', completeBelow: 3, last: undefined };

function idOf(number: number): BlockId {
  return number.toString(16).padStart(64, '0') as BlockId;
}

function entryOf(number: number): IndexEntry {
  return { segment: number, offset: 4096, size: 10, sequence: number, kind: number % 3 === 0 ? 'manifest' : 'data' };
}

t.test('what was written is found, in this process and the next', async (t) => {
  const directory = join(temporaryFolder(t), 'idx');
  const first = await LmdbBlockIndex.open(directory);
  t.equal(first.dropped, undefined);
  t.equal(first.store.state(), undefined);
  t.equal(first.store.find(idOf(1)), undefined);
  const entries = new Map(Array.from({ length: 2500 }, (_, number) => [idOf(number), entryOf(number)] as const));
  await first.store.write(entries, state);
  t.same(first.store.find(idOf(1234)), entryOf(1234));
  await first.store.close();

  const { store } = await LmdbBlockIndex.open(directory);
  t.match(store.state(), state);
  for (const [id, entry] of entries) if (JSON.stringify(store.find(id)) !== JSON.stringify(entry)) t.fail(`${id} is another`);
  t.equal(store.find(idOf(99_999)), undefined);
  await store.close();
});

t.test('a later entry replaces an earlier one', async (t) => {
  const { store } = await LmdbBlockIndex.open(temporaryFolder(t));
  await store.write(new Map([[idOf(1), entryOf(1)]]), state);
  await store.write(new Map([[idOf(1), entryOf(5)]]), { ...state, completeBelow: 4 });
  t.same(store.find(idOf(1)), entryOf(5));
  t.equal(store.state()?.completeBelow, 4);
  await store.close();
});

t.test('entries and manifests are listed page by page, in order', async (t) => {
  const { store } = await LmdbBlockIndex.open(temporaryFolder(t));
  await store.write(new Map([5, 3, 9, 1, 6].map((number) => [idOf(number), entryOf(number)])), state);
  const first = store.entries(undefined, 2);
  t.same(first, [
    [idOf(1), entryOf(1)],
    [idOf(3), entryOf(3)],
  ]);
  t.same(
    store.entries(first[1]?.[0], 10).map(([id]) => id),
    [idOf(5), idOf(6), idOf(9)],
  );
  t.same(store.manifestIds(undefined, 2), [idOf(3), idOf(6)]);
  t.same(store.manifestIds(idOf(6), 2), [idOf(9)]);
  t.same(store.manifestIds(idOf(9), 2), []);
  await store.close();
});

t.test('a dropped index is empty', async (t) => {
  const directory = temporaryFolder(t);
  const { store } = await LmdbBlockIndex.open(directory);
  await store.write(new Map([[idOf(1), entryOf(1)]]), state);
  await store.close();
  await LmdbBlockIndex.drop(directory);
  const again = await LmdbBlockIndex.open(directory);
  t.equal(again.store.state(), undefined);
  t.equal(again.store.find(idOf(1)), undefined);
  await again.store.close();
});

/** Another process that is in a transaction, as a commit on a slow disk would be. Let go by the end of its input. */
async function heldBy(t: Test, directory: string): Promise<() => void> {
  const program =
    'const { readSync } = require("node:fs"); require("lmdb").open({ path: process.argv[1], maxDbs: 4, overlappingSync: false })' +
    '.transactionSync(() => { process.stdout.write("held"); readSync(0, Buffer.alloc(1)); });';
  const child = spawn(process.execPath, ['-e', program, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  await once(child.stdout, 'data');
  return () => void child.stdin.end();
}

t.test('while a commit is held the event loop turns, what is there is found, and close waits', async (t) => {
  const directory = temporaryFolder(t);
  const { store } = await LmdbBlockIndex.open(directory);
  await store.write(new Map([[idOf(1), entryOf(1)]]), state);
  const letGo = await heldBy(t, directory);
  const done: string[] = [];
  const written = store.write(new Map([[idOf(2), entryOf(2)]]), state).then(() => done.push('written'));
  for (let turn = 0; turn < 20; turn++) await setTimeout(5);
  t.same(store.find(idOf(1)), entryOf(1));
  t.equal(store.find(idOf(2)), undefined);
  const closed = store.close().then(() => done.push('closed'));
  await setTimeout(20);
  t.same(done, []);
  letGo();
  await Promise.all([written, closed]);
  t.same(done, ['written', 'closed']);
  const again = await LmdbBlockIndex.open(directory);
  t.same(again.store.find(idOf(2)), entryOf(2));
  await again.store.close();
});

t.test('what is written is found at once, removed at once, and while the map grows', async (t) => {
  const { store } = await LmdbBlockIndex.open(temporaryFolder(t));
  for (let from = 0; from < 40_000; from += 10_000) {
    const entries = new Map(Array.from({ length: 10_000 }, (_, at) => [idOf(from + at), entryOf(from + at)] as const));
    let over = false;
    const written = store.write(entries, state).finally(() => {
      over = true;
    });
    while (!over) {
      if (from > 0) t.ok(store.find(idOf(from - 1)) !== undefined || t.fail('an entry is out of sight'));
      await setTimeout(1);
    }
    await written;
    t.same(store.find(idOf(from + 9999)), entryOf(from + 9999));
  }
  await store.write(new Map([[idOf(3), undefined]]), state);
  t.equal(store.find(idOf(3)), undefined);
  t.notOk(store.manifestIds(undefined, 3).includes(idOf(3)));
  await store.close();
  await t.rejects(store.write(new Map(), state), { code: 'internal' });
});
