import t from 'tap';
import { PiscinaHasher } from '../../../src/chunker/piscina-hasher.ts';
import { blake3 } from '../../../src/core/blake3.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { type BlockId, digestToHex } from '../../../src/core/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import { digestsOfPage, encodeManifestPages, manifestRootOf } from '../../../src/core/manifest.ts';
import { Slab } from '../../../src/core/slab.ts';
import { blobManifest } from '../../../src/upload/blob-manifest.ts';

const slab = new Slab({ slotSize: limits.slotSize, slotCount: 2, uploadSlotsMax: 1, extraSize: 0 });
const hasher = await PiscinaHasher.open({ slab, lanes: 2 });
t.teardown(() => hasher.close());

function listOf(count: number): BlockList {
  const list = new BlockList();
  for (let n = 0; n < count; n++) list.push(digestToHex<BlockId>(blake3(Buffer.from(`block ${n}`))), 1 + ((n * 7919) % 1000));
  return list;
}

const page = limits.manifestPageEntries;
for (const count of [
  0,
  1,
  2,
  limits.inlineManifestEntriesMax,
  limits.inlineManifestEntriesMax + 1,
  page - 1,
  page,
  page + 1,
  3 * page + 5,
]) {
  t.test(`the manifest of ${count} blocks is the same page by page as at once`, async (t) => {
    const blocks = listOf(count);
    const { pages, manifestRoot } = await blobManifest(blocks, hasher);
    t.equal(manifestRoot, manifestRootOf(blocks));
    t.strictSame(
      pages.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
      encodeManifestPages(blocks).map((bytes) => bytes.toString('hex')),
    );
    t.ok(pages.every(({ kind, id, bytes }) => kind === 'manifest' && id === digestToHex(blake3(bytes))));
  });
}

t.test('a long manifest is hashed on lanes alone, and never holds the event loop for more than one page', async (t) => {
  const jobs: number[] = [];
  const counting = {
    hashManifestPage: async (bytes: Uint8Array) => {
      jobs.push(bytes.byteLength);
      await new Promise((resolve) => setImmediate(resolve));
      return digestsOfPage(bytes);
    },
  };
  let turns = 0;
  let running = true;
  const count = () => {
    turns += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  const { pages } = await blobManifest(listOf(5 * page + 1), counting);
  running = false;
  t.equal(jobs.length, 6);
  t.equal(pages.length, 6);
  t.ok(turns >= 6, `the event loop turned ${turns} times`);
});
