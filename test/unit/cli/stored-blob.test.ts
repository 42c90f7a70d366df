import { randomBytes } from 'node:crypto';
import t from 'tap';
import { parseByteRange, resolveByteRange } from '../../../src/cli/byte-range-flag.ts';
import { findRoot } from '../../../src/cli/find-root.ts';
import { listRoots, readBlob } from '../../../src/cli/stored-blob.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import type { ManifestRootPage } from '../../../src/core/manifest-root.ts';
import { MemoryStore, uuid } from './memory-store.ts';

async function readAll(store: MemoryStore, root: ManifestRootPage, start = 0, end = root.size): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of readBlob(store, root, start, end)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

t.test('blobs of no block, one, some, and more than a page of blocks read back, whole and in every kind of range', async (t) => {
  const store = new MemoryStore();
  for (const [size, blockSize] of [
    [0, 1000],
    [1, 1000],
    [1000, 1000],
    [12_345, 1000],
    [3 * 4096 * 16 + 5, 16],
  ] as const) {
    const bytes = randomBytes(size);
    const root = store.store(bytes, { document: '1', blockSize });
    t.ok((await readAll(store, root)).equals(bytes), `${size} bytes`);
    for (const text of ['0-0', '5-', '-7', '999-1000', '65536-65537', '65530-140000']) {
      const range = resolveByteRange(parseByteRange(text), size);
      if (range === undefined) continue;
      t.ok(
        (await readAll(store, root, range.start, range.end)).equals(bytes.subarray(range.start, range.end)),
        `${text} of ${size}`,
      );
    }
  }
});

t.test('a changed block is refused, a missing one is named', async (t) => {
  const store = new MemoryStore();
  const root = store.store(randomBytes(5000), { document: '1' });
  const [first, second] = [...store.blocks.keys()] as [BlockId, BlockId];
  const changed = Buffer.from(store.blocks.get(first) as Buffer);
  changed[17] = (changed[17] as number) ^ 4;
  store.blocks.set(first, changed);
  await t.rejects(readAll(store, root), { code: 'corrupt', message: new RegExp(first) });
  t.equal((await readAll(store, root, 1000, 5000)).length, 4000, 'the rest is still there');
  store.blocks.delete(second);
  await t.rejects(readAll(store, root, 1000, 2000), { code: 'block_missing', message: new RegExp(second) });
});

t.test('roots are listed, other pages are not, damaged ones are told', async (t) => {
  const store = new MemoryStore();
  store.store(randomBytes(4096 * 16 + 1), { document: '1', filename: 'big', blockSize: 16 });
  store.store(Buffer.from('x'), { document: '2', filename: 'small' });
  const names = async () => {
    const found: unknown[] = [];
    for await (const finding of listRoots(store)) found.push('root' in finding ? finding.root.filename : finding.fault);
    return found;
  };
  t.same(await names(), ['big', 'small']);
  const last = store.manifests.at(-1) as BlockId;
  store.blocks.set(last, Buffer.from(store.blocks.get(last) as Buffer).fill(0, 50, 60));
  t.match(await names(), ['big', /does not have the content/]);
});

t.test('a blob is found by key, by document (its newest version) and by version', async (t) => {
  const store = new MemoryStore();
  const old = store.store(Buffer.from('old'), { document: 'a', createdAtMs: 1 });
  const newer = store.store(Buffer.from('new'), { document: 'a', createdAtMs: 2 });
  store.store(Buffer.from('other'), { document: 'b', createdAtMs: 3 });
  const versionOf = async (target: string, version?: string) => (await findRoot(store, { target, version })).root.versionId;
  t.equal(await versionOf(old.blob), old.versionId);
  t.equal(await versionOf(uuid('a')), newer.versionId);
  t.equal(await versionOf(uuid('a'), old.versionId), old.versionId);
  await t.rejects(findRoot(store, { target: uuid('c') }), { code: 'document_not_found' });
  await t.rejects(findRoot(store, { target: `b3:${'0'.repeat(64)}` }), { code: 'blob_not_found' });
  await t.rejects(findRoot(store, { target: 'scan.pdf' }), { code: 'bad_parameter' });
  store.blocks.delete(store.manifests[0] as BlockId);
  await t.rejects(findRoot(store, { target: old.blob }), { code: 'corrupt', message: /it may be one of them/ });
  t.match(await findRoot(store, { target: uuid('a') }), { unreadable: 1 }, 'a newer version may be among them');
});

t.test('the newest version is the one that was stored last, not the one with the latest stamp', async (t) => {
  const store = new MemoryStore();
  store.store(Buffer.from('while the clock was a year ahead'), { document: 'a', createdAtMs: 900 });
  const last = store.store(Buffer.from('after it was set right'), { document: 'a', createdAtMs: 5 });
  t.equal((await findRoot(store, { target: uuid('a') })).root.versionId, last.versionId);
});

t.test("a document's id is looked up within one organisation only", async (t) => {
  const store = new MemoryStore();
  const ours = store.store(Buffer.from('ours'), { org: '1', document: 'a', createdAtMs: 1 });
  const theirs = store.store(Buffer.from('theirs'), { org: '2', document: 'a', createdAtMs: 2 });
  store.store(Buffer.from('ours'), { org: '2', document: 'b', createdAtMs: 3 });
  const message = new RegExp(`${uuid('1')}, ${uuid('2')}.*--org`);
  await t.rejects(findRoot(store, { target: uuid('a') }), { code: 'document_ambiguous', message });
  t.equal((await findRoot(store, { target: uuid('a'), org: uuid('1') })).root.blob, ours.blob);
  t.equal((await findRoot(store, { target: uuid('a'), org: uuid('2') })).root.blob, theirs.blob);
  t.equal(
    (await findRoot(store, { target: uuid('a'), version: theirs.versionId })).root.blob,
    theirs.blob,
    'one version, one org',
  );
  await t.rejects(findRoot(store, { target: uuid('b'), org: uuid('1') }), { code: 'document_not_found' });
  await t.rejects(findRoot(store, { target: uuid('a'), org: 'acme' }), { code: 'bad_parameter' });
  t.equal((await findRoot(store, { target: ours.blob })).root.blob, ours.blob, 'a key names bytes, whoever stored them');
  await t.rejects(findRoot(store, { target: theirs.blob, org: uuid('1') }), { code: 'blob_not_found' });
});

t.test('ranges are read as HTTP reads them', (t) => {
  const cases: [string, number, unknown][] = [
    ['0-0', 10, { start: 0, end: 1 }],
    ['2-100', 10, { start: 2, end: 10 }],
    ['9-', 10, { start: 9, end: 10 }],
    ['10-', 10, undefined],
    ['-3', 10, { start: 7, end: 10 }],
    ['-30', 10, { start: 0, end: 10 }],
    ['-0', 10, undefined],
    ['-1', 0, undefined],
  ];
  for (const [text, size, expected] of cases)
    t.same(resolveByteRange(parseByteRange(text), size), expected, `${text} of ${size}`);
  for (const text of ['', '-', 'a-b', '5-3', '1-2-3', ' 1-2', '0x1-2']) t.throws(() => parseByteRange(text), { code: 'usage' });
  t.same(resolveByteRange(undefined, 0), { start: 0, end: 0 });
  t.end();
});
