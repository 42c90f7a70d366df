import t from 'tap';
import { PAGE_SIZE } from '../../../src/segment/format.ts';
import type { OutgoingRecord } from '../../../src/segment/segment-writer.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import {
  idsOf,
  openWriter,
  patterned,
  recordOf,
  type ScanResult,
  scanAll,
  segmentPath,
  testSuperblock,
} from '../../helpers/segment-fixture.ts';

/** Three batches, a roll into a second segment, two more batches, a seal. */
const script: readonly OutgoingRecord[][] = [
  [recordOf(patterned(3000, 1)), recordOf('manifest of 1', 'manifest')],
  [recordOf(patterned(9000, 2))],
  [recordOf(patterned(100, 3)), recordOf(patterned(4000, 4)), recordOf('manifest of 3 and 4', 'manifest')],
  [recordOf(patterned(12_000, 5))],
  [recordOf('manifest of 5', 'manifest')],
];

interface Run {
  readonly files: MemoryFiles;
  readonly acknowledged: readonly string[];
  readonly steps: number;
}

/** Every step from `lastStep` on fails as if the process were gone. */
function filesUntil(lastStep: number, pause: () => Promise<unknown> | undefined = () => undefined): MemoryFiles {
  const files = new MemoryFiles();
  files.hook = async ({ number }) => {
    if (number > lastStep) throw new Error('killed');
    await pause();
    return undefined;
  };
  return files;
}

/** Runs the script, one append after the other. */
async function runInTurn(lastStep: number): Promise<Run> {
  const files = filesUntil(lastStep);
  const { writer } = openWriter(files, { segmentSize: 32 * 1024 });
  const acknowledged: string[] = [];
  for (const records of script) {
    const done = await writer.append(records).then(
      () => true,
      () => false,
    );
    if (done) acknowledged.push(...records.map((record) => record.id));
  }
  await writer.close();
  return { files, acknowledged, steps: files.steps.length };
}

/** Runs the script, an append a turn, in writes of a page, which return in any order: batches are written ahead. */
async function runAtOnce(lastStep: number): Promise<Run> {
  const files = filesUntil(lastStep, pauses(lastStep));
  const { writer } = openWriter(files, { segmentSize: 32 * 1024, writeSize: PAGE_SIZE });
  const acknowledged: string[] = [];
  const appends: Promise<void>[] = [];
  for (const records of script) {
    const done = () => acknowledged.push(...records.map((record) => record.id));
    appends.push(
      writer
        .append(records)
        .then(done, () => undefined)
        .then(() => undefined),
    );
    await nextTurn();
  }
  await Promise.all(appends);
  await writer.close();
  return { files, acknowledged, steps: files.steps.length };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets each step wait for up to three turns, so that later ones overtake it. */
function pauses(seed: number): () => Promise<unknown> {
  const coin = random(seed % 1_000_003);
  return async () => {
    for (let turn = 0; turn < 3 && coin(); turn++) await nextTurn();
  };
}

/** Ids of every whole record that a start would accept, and of those in tails. */
async function recover(files: MemoryFiles): Promise<{ accepted: Set<string>; salvage: Set<string> }> {
  const accepted = new Set<string>();
  const salvage = new Set<string>();
  for (const result of await scansOf(files)) {
    for (const id of idsOf(result)) accepted.add(id);
    for (const { header } of result.end.salvage) salvage.add(header.id);
  }
  return { accepted, salvage };
}

async function scansOf(files: MemoryFiles): Promise<ScanResult[]> {
  const superblockOf = (segment: number) => testSuperblock(segment, 32 * 1024);
  const segments = (await files.list('/node/seg')).map((name) => Number.parseInt(name, 16));
  return Promise.all(
    segments.map((segment) => scanAll(files, segmentPath(segment), { superblock: superblockOf(segment), verifyPayloads: true })),
  );
}

/** A small generator, so that a seed names a run. */
function random(seed: number): () => boolean {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 31 === 1;
  };
}

const powerCuts: readonly [string, () => boolean][] = [
  ['nothing unsynced survives', () => false],
  ['everything written survives', () => true],
  ...[1, 2, 3, 4, 5, 6].map((seed): [string, () => boolean] => [`some sectors survive, seed ${seed}`, random(seed)]),
];

const runs = { 'one append after the other': runInTurn, 'appends at once, batches written ahead': runAtOnce };

for (const [how, run] of Object.entries(runs)) {
  t.test(`${how}: killed after any durable step, every acknowledged record is found again`, async (t) => {
    const { steps, acknowledged } = await run(Number.MAX_SAFE_INTEGER);
    t.equal(acknowledged.length, script.flat().length);
    const known = new Set(script.flat().map((record) => record.id as string));
    for (let last = 0; last <= steps; last++) {
      const killed = await run(last);
      for (const [name, keep] of powerCuts) {
        const { accepted, salvage } = await recover(killed.files.crash(keep));
        const missing = killed.acknowledged.filter((id) => !accepted.has(id));
        if (missing.length > 0) t.fail(`step ${last}, ${name}: ${missing.length} acknowledged records are missing`);
        for (const id of [...accepted, ...salvage]) if (!known.has(id)) t.fail(`step ${last}, ${name}: ${id} was never written`);
      }
    }
    t.ok(steps > 20, `${steps} steps were tried`);
  });

  t.test(`${how}: after a mere kill, written batches are whole or a tail, and nothing is damaged`, async (t) => {
    const { steps } = await run(Number.MAX_SAFE_INTEGER);
    for (let last = 0; last <= steps; last++) {
      const { files } = await run(last);
      const damage = (await scansOf(files.crash(() => true))).flatMap(({ batches }) => batches.flatMap((batch) => batch.damage));
      if (damage.length > 0) t.fail(`step ${last}: ${JSON.stringify(damage)}`);
    }
    t.pass(`${steps} steps were tried`);
  });

  t.test(`${how}: after a power cut, only the last batch can be damaged, and none of it was acknowledged`, async (t) => {
    const { steps } = await run(Number.MAX_SAFE_INTEGER);
    for (let last = 0; last <= steps; last++) {
      const killed = await run(last);
      for (const [name, keep] of powerCuts) {
        for (const { batches } of await scansOf(killed.files.crash(keep))) {
          for (const [index, { damage, records }] of batches.entries()) {
            if (damage.length === 0) continue;
            if (index < batches.length - 1) t.fail(`step ${last}, ${name}: a frame lies behind a batch that was not durable`);
            if (records.some(({ header }) => killed.acknowledged.includes(header.id)))
              t.fail(`step ${last}, ${name}: an acknowledged batch is damaged`);
          }
        }
      }
    }
    t.pass(`${steps} steps were tried`);
  });
}
