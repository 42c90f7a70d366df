import t from 'tap';
import { Slab } from '../../../src/core/slab.ts';
import { readReadiness } from '../../../src/roles/readiness.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';

const slab = new Slab({ slotSize: 4096, slotCount: 4, uploadSlotsMax: 2, extraSize: 0 });

function read(node: MemoryNode, { databaseAnswers = async () => true, active = 0 } = {}) {
  return readReadiness({ node, slab, databaseAnswers, admission: { active, places: 4 }, edgeName: () => 'node:http' });
}

t.test('everything well is ready, with what an operator asks about', async (t) => {
  const state = await read(new MemoryNode());
  t.equal(state.status, 'ready');
  t.same(Object.keys(state.dependencies).sort(), ['db', 'disk', 'edge', 'graviton', 'memory', 'uploads']);
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

t.test('a node that refused its last write is degraded, and says why', async (t) => {
  const node = new MemoryNode();
  node.trouble = 'The last write was refused (EMFILE); the next one may succeed.';
  t.match(await read(node), { status: 'degraded', dependencies: { graviton: { ok: false, detail: /refused \(EMFILE\)/ } } });
});

t.test('a node that lacks segments is unavailable, not ready: some documents cannot be read', async (t) => {
  const node = new MemoryNode();
  node.writable = false;
  node.missingSegments = '2 of 3 segments cannot be read: 1 (its file is missing), 2 (its file is missing).';
  t.match(await read(node), { status: 'unavailable', dependencies: { graviton: { ok: false } } });
});

t.test('a database that does not answer makes the whole unavailable', async (t) => {
  const state = await read(new MemoryNode(), { databaseAnswers: async () => false });
  t.match(state, { status: 'unavailable', dependencies: { db: { ok: false } } });
});

t.test('a server whose upload places are all taken says so', async (t) => {
  t.equal((await read(new MemoryNode(), { active: 3 })).status, 'ready');
  const state = await read(new MemoryNode(), { active: 4 });
  t.match(state, { status: 'degraded', dependencies: { uploads: { ok: false, detail: '4 of 4 upload places taken' } } });
});
