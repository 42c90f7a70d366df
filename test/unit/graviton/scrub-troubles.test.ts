import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { LocalNode, LocalNodeOptions } from '../../../src/graviton/local-node.ts';
import { segmentPath } from '../../../src/graviton/node-directory.ts';
import { nodePaths } from '../../../src/segment/format.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import { blocksOf, brokenOf, openNode } from '../../helpers/node-fixture.ts';
import { startScrub } from '../../helpers/scrub-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const blocks = blocksOf(4, { size: 300_000 });

/** Two segments, both sealed. */
async function filledNode(t: Test, changes: Partial<LocalNodeOptions> = {}): Promise<LocalNode> {
  const node = await openNode(t, temporaryFolder(t), changes);
  for (const block of blocks) await node.putBlocks([block]);
  await node.scrubAccess.sealActive();
  return node;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

/** Runs one pass to its end. */
async function scrubOnce(t: Test, node: LocalNode) {
  const { scrub, lines } = startScrub(t, node);
  const ended = () => lines.find(({ message }) => message.startsWith('A scrub pass ended'));
  await until(() => ended() !== undefined);
  await scrub.close();
  return { lines, statistics: scrub.statistics, end: ended() };
}

t.test('a lack of descriptors skips nothing: the pass goes on when there are some', async (t) => {
  const files = new MemoryFiles();
  const node = await filledNode(t, { files, directIo: false });
  let refused = 0;
  files.hook = ({ op, path }) => {
    if (op === 'open' && path.endsWith('.seg') && refused++ < 3) throw failure('EMFILE', path);
    return undefined;
  };
  const { statistics } = await scrubOnce(t, node);
  t.match(statistics, { unreadable: 0, damaged: 0, records: 4 });
  t.ok(refused > 3);
});

t.test('a damaged superblock is a finding of the pass and of the node; the records are hashed all the same', async (t) => {
  const node = await filledNode(t);
  const path = segmentPath(node.directory, 1);
  const bytes = readFileSync(path);
  bytes[40] = (bytes[40] as number) ^ 1;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
  const { statistics, end, lines } = await scrubOnce(t, node);
  t.match(statistics, { structures: 1, damaged: 0, records: 4 });
  t.match(end, { level: 'error', message: /it found damage/, fields: { structures: 1 } });
  t.ok(lines.some(({ message }) => /The superblock of segment 1 is damaged/.test(message)));
  t.match(node.health(), { damagedStructures: 1, damagedRecords: 0 });
  t.same(await brokenOf(node, blocks), []);
});

t.test('progress that cannot be synced ends the writing of the node', async (t) => {
  const files = new MemoryFiles();
  const node = await filledNode(t, { files, directIo: false });
  files.hook = ({ op, path }) => {
    if (op === 'sync' && path.includes(nodePaths.scrub)) throw failure('EIO', path);
    return undefined;
  };
  const { scrub } = startScrub(t, node);
  await until(() => !node.health().writable);
  await scrub.close();
  t.match(node.health().readOnlyReason, /write of SCRUB failed \(EIO\)/);
});
