import t from 'tap';
import { openNode } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { nodeContract } from './node.contract.ts';

const segmentSize = 8 * 1024 * 1024;

t.test('a local node that writes past the page cache', async (t) => {
  nodeContract(t, (t) => openNode(t, temporaryFolder(t), { segmentSize }));
});

t.test('a local node that writes through the page cache', async (t) => {
  nodeContract(t, (t) => openNode(t, temporaryFolder(t), { segmentSize, directIo: false }));
});
