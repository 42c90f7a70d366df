import t from 'tap';
import type { OutgoingRecord } from '../../../src/segment/segment-writer.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import { idsOf, openWriter, patterned, recordOf, scanAll, segmentPath, testSuperblock } from '../../helpers/segment-fixture.ts';

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

/** Runs the script; every step from `lastStep` on fails as if the process were gone. */
async function run(lastStep: number): Promise<Run> {
  const files = new MemoryFiles();
  files.hook = ({ number }) => {
    if (number > lastStep) throw new Error('killed');
    return undefined;
  };
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

/** Ids of every whole record that a start would accept, and of those in tails. */
async function recover(files: MemoryFiles): Promise<{ accepted: Set<string>; salvage: Set<string> }> {
  const accepted = new Set<string>();
  const salvage = new Set<string>();
  for (const segment of [1, 2]) {
    const name = segmentPath(segment);
    if (!(await files.list('/node/seg')).includes(name.slice(name.lastIndexOf('/') + 1))) continue;
    const result = await scanAll(files, name, { superblock: testSuperblock(segment, 32 * 1024), verifyPayloads: true });
    for (const id of idsOf(result)) accepted.add(id);
    for (const { header } of result.end.salvage) salvage.add(header.id);
  }
  return { accepted, salvage };
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

t.test('killed after any durable step, every acknowledged record is found again', async (t) => {
  const { steps, acknowledged } = await run(Number.POSITIVE_INFINITY);
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

t.test('after a mere kill of the process, written batches are whole or a tail, and nothing is damaged', async (t) => {
  const { steps } = await run(Number.POSITIVE_INFINITY);
  for (let last = 0; last <= steps; last++) {
    const { files } = await run(last);
    const after = files.crash(() => true);
    for (const name of await after.list('/node/seg')) {
      const segment = Number.parseInt(name, 16);
      const result = await scanAll(after, segmentPath(segment), {
        superblock: testSuperblock(segment, 32 * 1024),
        verifyPayloads: true,
      });
      t.strictSame(
        result.batches.flatMap((batch) => batch.damage),
        [],
        `step ${last}`,
      );
    }
  }
});
