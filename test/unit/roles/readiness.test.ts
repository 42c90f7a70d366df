import t from 'tap';
import { Slab } from '../../../src/core/slab.ts';
import { readReadiness } from '../../../src/roles/readiness.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';

const slab = new Slab({ slotSize: 4096, slotCount: 4, uploadSlotsMax: 2, extraSize: 0 });

function read(node: MemoryNode, pingDatabase = async () => {}) {
  return readReadiness({ node, slab, pingDatabase, edgeName: () => 'node:http' });
}

t.test('everything well is ready, with what an operator asks about', async (t) => {
  const state = await read(new MemoryNode());
  t.equal(state.status, 'ready');
  t.same(Object.keys(state.dependencies).sort(), ['db', 'disk', 'edge', 'graviton', 'memory']);
  t.ok(Object.values(state.dependencies).every(({ ok }) => ok));
});

t.test('a full disk or a node that takes no writes is degraded: reads go on', async (t) => {
  const full = new MemoryNode();
  full.full = true;
  t.match(await read(full), { status: 'degraded', dependencies: { disk: { ok: false }, graviton: { ok: true } } });
  const readOnly = new MemoryNode();
  readOnly.writable = false;
  t.match(await read(readOnly), { status: 'degraded', dependencies: { graviton: { ok: false } } });
});

t.test('a database that does not answer makes the whole unavailable, and its error stays inside', async (t) => {
  const state = await read(new MemoryNode(), async () => {
    throw new Error('connect ECONNREFUSED /tmp/secret/socket');
  });
  t.equal(state.status, 'unavailable');
  t.notMatch(JSON.stringify(state), /secret|ECONNREFUSED/);
});
