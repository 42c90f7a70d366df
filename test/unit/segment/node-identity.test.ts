import { join } from 'node:path';
import t from 'tap';
import { Fault } from '../../../src/segment/fault.ts';
import { NODE_COPY } from '../../../src/segment/format.ts';
import {
  decodeNodeIdentity,
  encodeNodeIdentity,
  type NodeIdentity,
  readNodeIdentity,
  writeNodeIdentity,
} from '../../../src/segment/node-identity.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import { nodeDirectory, nodeId } from '../../helpers/segment-fixture.ts';

const sample: NodeIdentity = {
  nodeId,
  clusterId: '018f0000-0000-7000-8000-0000000000ff',
  createdMs: 1_700_000_000_000,
  segmentSize: 256 * 1024 * 1024,
  blockSizeMax: 1024 * 1024,
};

t.test('an identity survives encoding and decoding', (t) => {
  t.strictSame(decodeNodeIdentity(encodeNodeIdentity(sample)), { identity: sample, repair: false });
  t.end();
});

t.test('version 1 bytes stay what they are', (t) => {
  const bytes = encodeNodeIdentity(sample);
  t.equal(
    bytes.subarray(0, 72).toString('hex'),
    [
      '5155415341524e44', // QUASARND
      '01000100', // version 1, BLAKE3
      '00100000', // pages of 4096
      '018f0000000070008000000000000001',
      '018f00000000700080000000000000ff',
      '0068e5cf8b010000', // 2023-11-14T22:13:20.000Z
      '0000001000000000', // 256 MiB
      '0000100000000000', // 1 MiB
    ].join(''),
  );
  t.same(bytes.subarray(0, 4096), bytes.subarray(4096));
  t.end();
});

t.test('any single flipped bit in one copy leaves the other', (t) => {
  const bytes = encodeNodeIdentity(sample);
  for (let bit = 0; bit < bytes.byteLength * 8; bit += 3) {
    const decoded = decodeNodeIdentity(flipBit(bytes, bit));
    if (decoded instanceof Fault || !decoded.repair) t.fail(`bit ${bit}`);
  }
  t.pass('all were survived');
  t.end();
});

t.test('two bad copies are a fault', (t) => {
  const bytes = flipBit(flipBit(encodeNodeIdentity(sample), 100), NODE_COPY.size * 8 + 100);
  t.ok(decodeNodeIdentity(bytes) instanceof Fault);
  t.ok(decodeNodeIdentity(Buffer.alloc(0)) instanceof Fault);
  t.end();
});

t.test('a missing file is no identity, a bad copy is mended, two bad copies are refused', async (t) => {
  const files = new MemoryFiles();
  t.equal(await readNodeIdentity(files, nodeDirectory), undefined);
  await writeNodeIdentity(files, nodeDirectory, sample);
  const path = join(nodeDirectory, 'NODE');
  files.put(path, flipBit(files.content(path), 300));
  t.strictSame(await readNodeIdentity(files, nodeDirectory), sample);
  t.same(files.content(path), encodeNodeIdentity(sample));
  files.put(path, Buffer.alloc(8192));
  await t.rejects(readNodeIdentity(files, nodeDirectory), { code: 'corrupt' });
});

t.test('a power cut at any step of a rewrite leaves the old or the new identity', async (t) => {
  const changed = { ...sample, clusterId: nodeId };
  const probe = new MemoryFiles();
  await writeNodeIdentity(probe, nodeDirectory, sample);
  const steps = probe.steps.length;
  for (let last = 0; last <= steps; last++) {
    const files = new MemoryFiles();
    await writeNodeIdentity(files, nodeDirectory, sample);
    const before = files.steps.length;
    files.hook = ({ number }) => {
      if (number > before + last) throw new Error('power cut');
      return undefined;
    };
    const written = await writeNodeIdentity(files, nodeDirectory, changed).then(
      () => true,
      () => false,
    );
    const found = await readNodeIdentity(
      files.crash(() => false),
      nodeDirectory,
    );
    if (written) t.strictSame(found, changed);
    else t.ok(found?.clusterId === sample.clusterId || found?.clusterId === changed.clusterId);
  }
});
