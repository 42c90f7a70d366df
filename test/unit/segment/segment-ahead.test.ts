import t, { type Test } from 'tap';
import { PAGE_SIZE } from '../../../src/segment/format.ts';
import type { OutgoingRecord } from '../../../src/segment/segment-writer.ts';
import { type FileStep, failure, MemoryFiles } from '../../helpers/memory-files.ts';
import {
  idsOf,
  openWriter,
  patterned,
  recordOf,
  scanAll,
  segmentPath,
  testSuperblock,
  type WriterFixture,
} from '../../helpers/segment-fixture.ts';

const path = segmentPath(1);
const before = recordOf('before');
const first = recordOf(patterned(3000, 1));
const second = [recordOf(patterned(9000, 2)), recordOf(patterned(9000, 3))];
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Some steps wait until they are told to happen or to fail. */
class Brake {
  readonly #waiting: { readonly step: FileStep; readonly settle: (error?: Error) => void }[] = [];
  readonly #holds: (step: FileStep) => boolean;

  constructor(files: MemoryFiles, holds: (step: FileStep) => boolean) {
    this.#holds = holds;
    files.hook = (step) => (this.#holds(step) ? this.#wait(step) : undefined);
  }

  get steps(): readonly FileStep[] {
    return this.#waiting.map(({ step }) => step);
  }

  /** The step that waits longest, or the one at `index` of those, happens; with an error it fails. */
  release(error?: Error, index = 0): void {
    this.#waiting.splice(index, 1)[0]?.settle(error);
  }

  #wait(step: FileStep): Promise<undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ step, settle: (error) => (error === undefined ? resolve(undefined) : reject(error)) });
    });
  }
}

function scan(files: MemoryFiles) {
  return scanAll(files, path, { superblock: testSuperblock(1), verifyPayloads: true });
}

interface Overlap extends WriterFixture {
  readonly files: MemoryFiles;
  readonly brake: Brake;
  /** End of the batch that is durable. */
  readonly durableEnd: number;
  readonly appends: { readonly first: Promise<string>; readonly second: Promise<string> };
}

interface OverlapOptions {
  /** Writes ahead wait like the others. */
  readonly aheadWaits?: boolean;
  /** Another record that is durable. */
  readonly filler?: OutgoingRecord;
}

/** One batch is durable; the next waits in its last write or its fdatasync while the one behind it is written ahead. */
async function overlapAt(t: Test, op: 'write' | 'dataSync', options: OverlapOptions = {}): Promise<Overlap> {
  const files = new MemoryFiles();
  const fixture = openWriter(files, { writeSize: PAGE_SIZE });
  await fixture.writer.append([before]);
  if (options.filler !== undefined) await fixture.writer.append([options.filler]);
  const durableEnd = (await scan(files)).end.at;
  const firstEnd = durableEnd + PAGE_SIZE;
  const waits = (step: FileStep) => step.op === op && (step.at < firstEnd || options.aheadWaits === true);
  const brake = new Brake(files, waits);
  const outcome = (append: Promise<unknown>) =>
    append.then(
      () => 'durable',
      (error: { code: string }) => error.code,
    );
  const firstAppend = outcome(fixture.writer.append([first]));
  await turns();
  t.equal(brake.steps.length, 1);
  const secondAppend = outcome(fixture.writer.append(second));
  await turns();
  return { ...fixture, files, brake, durableEnd, appends: { first: firstAppend, second: secondAppend } };
}

const writesBehind = (files: MemoryFiles, end: number) =>
  files.steps.filter((step) => step.op === 'write' && step.path === path && step.at >= end);

t.test('a batch is written ahead while the one before is not durable, and gets its frame afterwards', async (t) => {
  const { writer, files, brake, durableEnd, appends } = await overlapAt(t, 'dataSync');
  t.ok(writesBehind(files, durableEnd + PAGE_SIZE).length >= 2, 'its records are written');
  const meanwhile = await scan(files);
  t.strictSame(idsOf(meanwhile), [before.id, first.id]);
  t.equal(meanwhile.end.state, 'torn');
  t.equal(brake.steps.length, 1, 'nothing of it is synced');

  files.hook = () => undefined;
  brake.release();
  t.strictSame(await Promise.all([appends.first, appends.second]), ['durable', 'durable']);
  const scanned = await scan(files);
  t.strictSame(
    idsOf(scanned),
    [before, first, ...second].map(({ id }) => id),
  );
  t.equal(scanned.end.state, 'clean');
  t.equal(writer.stats.batches, 3);
  await writer.close();
});

t.test('whatever comes before a batch is taken joins it', async (t) => {
  const { writer, files, brake, appends } = await overlapAt(t, 'dataSync');
  const late = Promise.all([writer.append([recordOf('late')]), writer.append([recordOf('later')])]);
  files.hook = () => undefined;
  brake.release();
  await Promise.all([appends.second, late]);
  t.equal(writer.stats.batches, 3);
  await writer.close();
});

t.test('a failing fdatasync is final for the batch written ahead, too', async (t) => {
  const { writer, deaths, files, brake, appends } = await overlapAt(t, 'dataSync');
  const steps = files.steps.length;
  brake.release(failure('EIO'));
  t.strictSame(await Promise.all([appends.first, appends.second]), ['node_read_only', 'node_read_only']);
  await t.rejects(writer.append([recordOf('after')]), { code: 'node_read_only' });
  await writer.close();
  t.strictSame(files.steps.slice(steps), [], 'nothing is written any more');
  t.match(deaths, [{ step: 'fdatasync of segment 1', cause: { code: 'EIO' } }]);
  t.strictSame(idsOf(await scan(files)), [before.id, first.id], 'the batch ahead has no frame');
  t.equal(writer.stats.waiting, 0);
});

t.test('a write ahead that fails keeps the batch in front from being synced', async (t) => {
  const { writer, deaths, files, brake, appends } = await overlapAt(t, 'write', { aheadWaits: true });
  t.equal(brake.steps.length, 2, 'the last write of one batch and one of the next');
  brake.release(failure('EIO'), 1);
  await turns();
  const steps = files.steps.length;
  brake.release();
  t.strictSame(await Promise.all([appends.first, appends.second]), ['node_read_only', 'node_read_only']);
  await writer.close();
  t.strictSame(files.steps.slice(steps), []);
  t.match(deaths, [{ step: 'write to segment 1', cause: { code: 'EIO' } }]);
});

t.test('a write ahead that fails during an fdatasync leaves that batch durable', async (t) => {
  const { writer, deaths, files, brake, durableEnd, appends } = await overlapAt(t, 'write', { aheadWaits: true });
  const syncs = files.steps.filter(({ op }) => op === 'dataSync').length;
  brake.release();
  await turns();
  t.equal(files.steps.filter(({ op }) => op === 'dataSync').length, syncs + 1);
  t.equal(await appends.first, 'durable');
  while (brake.steps.length > 0) {
    brake.release(failure('EIO'));
    await turns();
  }
  t.equal(await appends.second, 'node_read_only');
  t.equal(deaths.length, 1);
  await writer.close();
  t.strictSame(idsOf(await scan(files)), [before.id, first.id]);
  t.equal((await scan(files)).end.at, durableEnd + PAGE_SIZE);
});

t.test('a disk that is full for a write ahead fails that batch only, and cuts it off', async (t) => {
  const { writer, full, deaths, files, brake, durableEnd, appends } = await overlapAt(t, 'write', { aheadWaits: true });
  brake.release(failure('ENOSPC'), 1);
  await turns();
  files.hook = () => undefined;
  brake.release();
  t.strictSame(await Promise.all([appends.first, appends.second]), ['durable', 'storage_full']);
  t.equal(files.content(path).byteLength, durableEnd + PAGE_SIZE);
  t.strictSame([full.length, deaths.length], [1, 0]);
  await writer.append([recordOf('after')]);
  const scanned = await scan(files);
  t.strictSame(idsOf(scanned), [before.id, first.id, recordOf('after').id]);
  t.equal(scanned.end.state, 'clean');
  await writer.close();
});

t.test('a disk that is full for a batch cuts off what was written ahead of the next, which is written again', async (t) => {
  const { writer, full, files, brake, durableEnd, appends } = await overlapAt(t, 'write');
  t.ok(files.content(path).byteLength > durableEnd, 'something was written ahead');
  const truncations: FileStep[] = [];
  files.hook = (step) => {
    if (step.op === 'truncate') truncations.push(step);
    return undefined;
  };
  brake.release(failure('ENOSPC'));
  t.strictSame(await Promise.all([appends.first, appends.second]), ['storage_full', 'durable']);
  t.match(truncations, [{ at: durableEnd }]);
  t.equal(full.length, 1);
  const scanned = await scan(files);
  t.strictSame(
    idsOf(scanned),
    [before, ...second].map(({ id }) => id),
  );
  t.strictSame(
    scanned.batches.map(({ batch }) => batch),
    [1, 2],
  );
  t.equal(scanned.end.state, 'clean');
  await writer.close();
});

t.test('a full disk and a failing write ahead together are final', async (t) => {
  const { writer, deaths, files, brake, appends } = await overlapAt(t, 'write', { aheadWaits: true });
  brake.release(failure('ENOSPC'));
  await turns();
  const steps = files.steps.length;
  brake.release(failure('EIO'));
  t.strictSame(await Promise.all([appends.first, appends.second]), ['node_read_only', 'node_read_only']);
  await writer.close();
  t.match(deaths, [{ step: 'write to segment 1', cause: { code: 'EIO' } }]);
  t.strictSame(files.steps.slice(steps), []);
});

t.test('the files of a dead writer stay open until no write is in flight', async (t) => {
  const { writer, files, brake, appends } = await overlapAt(t, 'write', { aheadWaits: true });
  let closed = false;
  brake.release(failure('EIO'));
  const closing = writer.close().then(() => {
    closed = true;
  });
  await turns();
  t.equal(closed, false);
  files.hook = () => undefined;
  brake.release();
  await closing;
  t.strictSame(await Promise.all([appends.first, appends.second]), ['node_read_only', 'node_read_only']);
});

t.test('a batch that outgrows its segment while it is written ahead goes to the next one as a whole', async (t) => {
  const filler = recordOf(patterned(28_000, 4));
  const { writer, files, brake, sealed, appends } = await overlapAt(t, 'dataSync', { filler });
  const third = writer.append([recordOf(patterned(9000, 5))]);
  await turns();
  files.hook = () => undefined;
  brake.release();
  t.strictSame(await Promise.all([appends.first, appends.second]), ['durable', 'durable']);
  t.equal((await third)[0]?.segment, 2);
  await writer.close();
  t.match(sealed, [
    { superblock: { segment: 1 }, count: 3 },
    { superblock: { segment: 2 }, count: 3 },
  ]);
  t.equal(files.content(path).byteLength, sealed[0]?.fileSize, 'nothing is left behind the footer');
});

t.test('an append larger than all buffers is written while the writer was idle before', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files, { writeSize: PAGE_SIZE });
  await writer.append([before]);
  await writer.append(second);
  t.strictSame(
    idsOf(await scan(files)),
    [before, ...second].map(({ id }) => id),
  );
  await writer.close();
});
