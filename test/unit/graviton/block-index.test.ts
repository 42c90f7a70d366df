import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import type { NodeId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { BlockIndex, type IndexState, type IndexStore } from '../../../src/graviton/block-index.ts';
import type { IndexEntry } from '../../../src/graviton/index-entry.ts';

const nodeId = '018f0000-0000-7000-8000-000000000001' as NodeId;

function idOf(number: number): BlockId {
  return number.toString(16).padStart(64, '0') as BlockId;
}

function entryOf(sequence: number, kind: IndexEntry['kind'] = 'data'): IndexEntry {
  return { segment: 1, offset: 4096 * sequence, size: 10, sequence, kind };
}

class MemoryStore implements IndexStore {
  readonly kept = new Map<BlockId, IndexEntry>();
  lastState: IndexState | undefined;
  fault: Error | undefined;
  /** Held back until this settles. */
  gate: Promise<void> = Promise.resolve();

  state = () => this.lastState;
  find = (id: BlockId) => this.kept.get(id);

  async write(entries: ReadonlyMap<BlockId, IndexEntry>, state: IndexState): Promise<void> {
    await this.gate;
    if (this.fault !== undefined) throw this.fault;
    for (const [id, entry] of entries) this.kept.set(id, entry);
    this.lastState = state;
  }

  entries(after: BlockId | undefined, count: number): (readonly [BlockId, IndexEntry])[] {
    return [...this.kept]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .filter(([id]) => after === undefined || id > after)
      .slice(0, count);
  }

  manifestIds(after: BlockId | undefined, count: number): BlockId[] {
    return this.entries(after, Number.POSITIVE_INFINITY)
      .filter(([, { kind }]) => kind === 'manifest')
      .slice(0, count)
      .map(([id]) => id);
  }

  async close(): Promise<void> {}
}

function open(store = new MemoryStore()) {
  const faults: unknown[] = [];
  const progress = { completeBelow: 1 };
  const index = new BlockIndex({
    store,
    nodeId,
    incarnation: 'ab',
    completeBelow: () => progress.completeBelow,
    onFault: (error) => faults.push(error),
  });
  return { store, index, faults, progress };
}

t.test('an entry is found before, during and after its flush', async (t) => {
  const { store, index } = open();
  index.set(idOf(1), entryOf(1));
  t.same(index.find(idOf(1)), entryOf(1));
  let openGate = (): void => undefined;
  store.gate = new Promise((resolve) => {
    openGate = resolve;
  });
  const flushed = index.flush();
  t.same(index.find(idOf(1)), entryOf(1));
  t.equal(store.kept.size, 0);
  index.set(idOf(1), entryOf(2));
  t.same(index.find(idOf(1)), entryOf(2), 'the newest entry wins');
  openGate();
  await flushed;
  t.same(index.find(idOf(1)), entryOf(2));
  await index.close();
  t.same(store.kept.get(idOf(1)), entryOf(2));
});

t.test('the watermark is written with the entries: how far all is indexed, and the latest record', async (t) => {
  const { store, index, progress } = open();
  index.set(idOf(2), entryOf(20));
  index.set(idOf(1), entryOf(10));
  progress.completeBelow = 5;
  await index.flush();
  t.same(store.lastState, { nodeId, incarnation: 'ab', completeBelow: 5, last: { ...entryOf(20), id: idOf(2) } });
  await index.close();
});

t.test('the latest record of an earlier run is remembered', async (t) => {
  const store = new MemoryStore();
  store.lastState = { nodeId, incarnation: 'ab', completeBelow: 0, last: { ...entryOf(7), id: idOf(7) } };
  const { index } = open(store);
  t.equal(index.last?.sequence, 7);
  index.set(idOf(3), entryOf(3));
  t.equal(index.last?.sequence, 7);
  await index.close();
});

t.test('a flush that fails loses no entry, and the next one brings all of them', async (t) => {
  const { store, index, faults } = open();
  index.set(idOf(1), entryOf(1));
  store.fault = new Error('no space');
  await t.rejects(index.flush(), /no space/);
  index.set(idOf(2), entryOf(2));
  t.same(index.find(idOf(1)), entryOf(1));
  t.equal(index.unflushed, 2);
  store.fault = undefined;
  await index.flush();
  t.same([...store.kept.keys()].sort(), [idOf(1), idOf(2)]);
  store.fault = new Error('no space at the end');
  index.set(idOf(3), entryOf(3));
  await index.close();
  t.match(faults, [/at the end/], 'close tells of the fault and goes on');
});

t.test('enough entries are flushed without waiting for the clock', async (t) => {
  const { store, index } = open();
  for (let number = 0; number < limits.indexFlushEntriesMax; number++) index.set(idOf(number), entryOf(number));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(store.kept.size, limits.indexFlushEntriesMax);
  await index.close();
});

t.test('manifests are listed once, flushed or not', async (t) => {
  const { index } = open();
  for (let number = 0; number < 2500; number++) index.set(idOf(number), entryOf(number, number % 2 === 0 ? 'manifest' : 'data'));
  await index.flush();
  index.set(idOf(2), entryOf(5000, 'manifest'));
  index.set(idOf(9999), entryOf(5001, 'manifest'));
  const listed: BlockId[] = [];
  for await (const id of index.manifestIds()) listed.push(id);
  t.equal(listed.length, 1251);
  t.equal(new Set(listed).size, 1251);
  await index.close();
});

t.test('the entries of one segment are found among all', async (t) => {
  const { index } = open();
  for (let number = 0; number < 1500; number++)
    index.set(idOf(number), { ...entryOf(number), segment: number % 500 === 0 ? 2 : 1 });
  const found = await index.entriesOf(2);
  t.same(
    found.map(([id]) => id),
    [idOf(0), idOf(500), idOf(1000)],
  );
  await index.close();
});
