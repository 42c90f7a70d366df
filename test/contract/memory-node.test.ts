import t from 'tap';
import { MemoryNode } from '../helpers/memory-node.ts';
import { nodeContract } from './node.contract.ts';

t.test('the node of unit tests', async (t) => {
  nodeContract(t, async (t) => {
    const node = new MemoryNode();
    t.teardown(() => node.close());
    return { node, harm: ({ id }) => node.harm(id) };
  });
});
