import t, { type Test } from 'tap';
import type { LocalNodeOptions } from '../../src/graviton/local-node.ts';
import { openNode, rotBlock } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { nodeContract, type OpenedNode } from './node.contract.ts';

const segmentSize = 8 * 1024 * 1024;

async function opened(t: Test, changes: Partial<LocalNodeOptions>): Promise<OpenedNode> {
  const node = await openNode(t, temporaryFolder(t), changes);
  return { node, harm: (block) => rotBlock(node.directory, block) };
}

t.test('a local node that writes past the page cache', async (t) => {
  nodeContract(t, (t) => opened(t, { segmentSize }));
});

t.test('a local node that writes through the page cache', async (t) => {
  nodeContract(t, (t) => opened(t, { segmentSize, directIo: false }));
});
