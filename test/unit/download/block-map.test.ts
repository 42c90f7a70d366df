import t from 'tap';
import type { BlobFacts } from '../../../src/catalog/catalog.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type BlockId, blake3Of } from '../../../src/core/digest.ts';
import { newId, type OrgId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { encodeManifestPages } from '../../../src/core/manifest.ts';
import { BlockMap, type BlockSpan } from '../../../src/download/block-map.ts';
import { MemoryCatalog } from '../../helpers/memory-catalog.ts';
import { testScope } from '../../helpers/open-uploads.ts';
import { blobFacts, digits, versionWish } from '../../helpers/version-wish.ts';

const PAGE = limits.manifestPageEntries;

/** A blob of so many blocks, of 64 to 163 bytes each; counts how often a page is asked for. */
async function openMap(blocks: number, options: { bytesMax?: number; pages?: (all: Buffer[]) => Buffer[] } = {}) {
  const list = new BlockList();
  for (let index = 0; index < blocks; index++) list.push(digits(`block ${index}`) as BlockId, 64 + (index % 100));
  const blob: BlobFacts = { ...blobFacts('map'), chunker: 'fastcdc-v1', blockCount: blocks, size: list.size };
  const catalog = new MemoryCatalog(systemClock.now);
  const pages = encodeManifestPages(list);
  await catalog.commit(testScope, versionWish({ blob, pages: options.pages?.(pages) ?? pages }));
  const asked: string[] = [];
  catalog.before = async (method) => {
    asked.push(method);
  };
  return { list, blob, asked, map: new BlockMap(catalog, options.bytesMax) };
}

async function spansOf({ map, blob }: Awaited<ReturnType<typeof openMap>>, start: number, end: number): Promise<BlockSpan[]> {
  const spans: BlockSpan[] = [];
  for await (const span of map.spans(testScope, blob, start, end)) spans.push(span);
  return spans;
}

t.test('a range is covered without gaps, across pages, wherever it begins', async (t) => {
  const world = await openMap(2 * PAGE + 5);
  const { size } = world.blob;
  for (const [start, end] of [
    [0, 1],
    [0, size],
    [size - 1, size],
    [Math.floor(size / 2), Math.floor(size / 2) + 70_000],
    [50, 50],
  ] as const) {
    const spans = await spansOf(world, start, end);
    const covered = spans.reduce((sum, span) => sum + span.end - span.start, 0);
    t.equal(covered, end - start, `${start} to ${end}`);
    t.ok(spans.every((span) => span.start < span.end && span.end <= span.size));
  }
});

t.test('a blob of one block needs no page: its entry is its key', async (t) => {
  const world = await openMap(1);
  t.same(await spansOf(world, 3, 10), [{ id: blake3Of(world.blob.key), size: world.blob.size, start: 3, end: 10 }]);
  t.same(world.asked, []);
});

t.test('a page is asked for once, by one org, while there is room for it', async (t) => {
  const world = await openMap(100);
  t.equal(world.map.tryFindSingle(testScope, world.blob, 0, 10), undefined, 'not known yet');
  await spansOf(world, 0, 10);
  await spansOf(world, 5000, 6000);
  t.equal(world.asked.length, 1);
  t.match(world.map.tryFindSingle(testScope, world.blob, 64, 70), { id: world.list.idAt(1), start: 0, end: 6 });
  t.equal(world.map.tryFindSingle(testScope, world.blob, 60, 70), undefined, 'two blocks');
  const stranger = { ...testScope, orgId: newId<OrgId>(systemClock) };
  t.equal(world.map.tryFindSingle(stranger, world.blob, 64, 70), undefined);
  const small = await openMap(2 * PAGE, { bytesMax: 1 });
  await spansOf(small, 0, small.blob.size);
  const before = small.asked.length;
  await spansOf(small, 0, 1);
  t.ok(small.asked.length > before, 'the first page had to go');
});

t.test('a page that is missing, or is not the one asked for, is damage', async (t) => {
  const corrupt = { code: 'corrupt' };
  const missing = await openMap(PAGE + 1, { pages: ([first]) => [first as Buffer] });
  await t.rejects(spansOf(missing, 0, missing.blob.size), corrupt);
  const swapped = await openMap(PAGE + 1, { pages: (all) => all.reverse() });
  await t.rejects(spansOf(swapped, 0, 1), corrupt);
  const garbage = await openMap(2, { pages: () => [Buffer.alloc(100)] });
  await t.rejects(spansOf(garbage, 0, 1), corrupt);
});
