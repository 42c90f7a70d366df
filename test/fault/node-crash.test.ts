import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isQuasarError } from '../../src/core/errors.ts';
import { LocalNode } from '../../src/graviton/local-node.ts';
import type { OutgoingBlock } from '../../src/graviton/node.ts';
import { MemoryFiles } from '../helpers/memory-files.ts';
import { blockOf, blocksOf, brokenOf, lookAt, manifestsOf, nodeOptions, rotInMemory } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const segmentSize = 128 * 1024;
/** What changes the disk; a crash between two reads is a crash before the next of these. */
const durableSteps = new Set(['open', 'write', 'dataSync', 'sync', 'truncate', 'chmod', 'rename', 'unlink', 'syncDirectory']);

/** Stores, rolls segments, marks damage, closes, opens again, stores more. Returns the blocks whose `putBlocks` resolved. */
async function workload(directory: string, files: MemoryFiles): Promise<readonly OutgoingBlock[]> {
  const acknowledged: OutgoingBlock[] = [];
  const put = async (node: LocalNode, blocks: OutgoingBlock[]): Promise<void> => {
    await node.putBlocks(blocks);
    acknowledged.push(...blocks);
  };
  let node: LocalNode | undefined;
  try {
    node = await LocalNode.open(nodeOptions(directory, { files, segmentSize, directIo: false }));
    await put(node, [blockOf(1, 500, 'manifest')]);
    await node.putBlocks([blockOf(77, 20_000)]);
    await Promise.all(blocksOf(4, { from: 10, size: 30_000 }).map((block) => put(node as LocalNode, [block])));
    await rotInMemory(files, directory, blockOf(77, 20_000));
    await lookAt(node, blockOf(77, 20_000));
    await put(node, [blockOf(77, 20_000), blockOf(3, 1)]);
    await node.close();
    node = await LocalNode.open(nodeOptions(directory, { files, segmentSize, directIo: false }));
    await put(node, blocksOf(3, { from: 20, size: 25_000 }));
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    await node?.close();
  }
  return acknowledged;
}

/** Also of what is refused because an earlier step met it. */
function isGone(error: unknown): boolean {
  const { reason = '' } = isQuasarError(error) ? (error.details as { reason?: string }) : {};
  return reason.includes(GONE) || rootOf(error).message.includes(GONE);
}

function rootOf(error: unknown): Error {
  const { cause } = error as Error;
  return cause === undefined ? (error as Error) : rootOf(cause);
}

const GONE = 'the process is gone';

/** Lets `count` changing steps happen, then nothing any more. Tells whether it came to that. */
function stopAfter(files: MemoryFiles, count: number): () => boolean {
  let done = 0;
  files.hook = ({ op }) => {
    if (durableSteps.has(op)) done += 1;
    if (done > count) throw new Error(GONE);
    return undefined;
  };
  return () => done > count;
}

async function checkRestart(
  t: Test,
  directory: string,
  after: MemoryFiles,
  acknowledged: readonly OutgoingBlock[],
): Promise<void> {
  const node = await LocalNode.open(nodeOptions(directory, { files: after, segmentSize, directIo: false }));
  t.same(await brokenOf(node, acknowledged), [], 'everything acknowledged reads back');
  t.equal(node.health().writable, true);
  const listed = await manifestsOf(node);
  for (const { kind, id } of acknowledged) if (kind === 'manifest') t.ok(listed.includes(id), 'the manifest is listed');
  await node.putBlocks([...acknowledged, blockOf(50)]);
  await node.close();
  const again = await LocalNode.open(nodeOptions(directory, { files: after, segmentSize, directIo: false }));
  t.same(await brokenOf(again, [...acknowledged, blockOf(50)]), [], 'and again after a clean stop');
  t.same(again.recovery.lines, [], 'a clean stop leaves nothing to recover');
  await again.close();
}

/** A power cut keeps of what was written but not synced: nothing, everything, or every other sector. */
const survivors: Readonly<Record<string, () => () => boolean>> = {
  nothing: () => () => false,
  everything: () => () => true,
  'some sectors': () => {
    let turn = 0;
    return () => (turn++ * 7) % 3 === 0;
  },
};

for (const [kept, keep] of Object.entries(survivors)) {
  t.test(
    `after a power cut at any step that keeps ${kept} of what was not synced, all acknowledged blocks are there`,
    async (t) => {
      let stopped = true;
      for (let step = kept === 'nothing' ? 0 : 1; stopped; step += kept === 'nothing' ? 1 : 5) {
        const directory = temporaryFolder(t);
        const files = new MemoryFiles();
        const cameToIt = stopAfter(files, step);
        const acknowledged = await workload(directory, files);
        stopped = cameToIt();
        // Every other time the index is one that a crash left behind; else it is gone.
        if (step % 2 === 0) rmSync(join(directory, 'idx'), { recursive: true, force: true });
        await checkRestart(t, directory, files.crash(keep()), acknowledged);
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
}

t.test('an index that is older than the segments is brought up to them', async (t) => {
  const directory = temporaryFolder(t);
  const files = new MemoryFiles();
  const options = nodeOptions(directory, { files, segmentSize, directIo: false });
  const first = await LocalNode.open(options);
  const old = blocksOf(5, { size: 30_000 });
  await first.putBlocks(old);
  await first.close();
  cpSync(join(directory, 'idx'), join(directory, 'idx-copy'), { recursive: true });
  const acknowledged = await workload(directory, files);
  rmSync(join(directory, 'idx'), { recursive: true });
  cpSync(join(directory, 'idx-copy'), join(directory, 'idx'), { recursive: true });
  const node = await LocalNode.open(options);
  t.same(await brokenOf(node, [...old, ...acknowledged]), []);
  t.same(await node.putBlocks(old), new Array(5).fill('present'));
  await node.close();
});
