import { blake3 } from '../core/blake3.ts';
import { type BlockId, digestToHex } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { isManifestFault, type ManifestFault } from '../core/manifest-format.ts';
import { decodeManifestPage, type ManifestPage } from '../core/manifest-page.ts';
import { decodeManifestRoot, isManifestRoot, type ManifestRootPage, pageIndexAt } from '../core/manifest-root.ts';

/** The part of a node that reading blobs back needs. */
export interface BlockSource {
  /** Not verified. Undefined when the block is not there. @throws QuasarError `corrupt`. */
  readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined>;
  /** In the order in which they were first stored. */
  listManifests(): AsyncIterable<BlockId>;
}

export type RootFinding = { readonly root: ManifestRootPage } | { readonly id: BlockId; readonly fault: string };

/** Every manifest root of a node, in the order in which they were stored; what should be one and cannot be read comes as a fault. */
export async function* listRoots(source: BlockSource): AsyncGenerator<RootFinding> {
  const memory = Buffer.allocUnsafeSlow(limits.blockSizeMax);
  for await (const id of source.listManifests()) {
    let bytes: Uint8Array;
    try {
      bytes = await readVerified(source, id, memory);
    } catch (error) {
      if (!(error instanceof QuasarError) || error.kind !== 'corrupt') throw error;
      yield { id, fault: error.message };
      continue;
    }
    if (!isManifestRoot(bytes)) continue;
    // A root keeps views of what it was decoded from.
    const root = decodeManifestRoot(Buffer.from(bytes));
    yield isManifestFault(root) ? { id, fault: `The manifest cannot be read: ${root.fault}.` } : { root };
  }
}

/** The blob's bytes from `start` to `end` (exclusive), each block verified. A chunk is borrowed until the next is asked for. */
export async function* readBlob(
  source: BlockSource,
  root: ManifestRootPage,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  const memory = Buffer.allocUnsafeSlow(limits.blockSizeMax);
  for await (const page of pagesFrom(source, root, start)) {
    const entries = page.entriesCovering(start, end);
    for (let entry = entries.first; entry < entries.end; entry++) {
      const bytes = await readVerified(source, page.idAt(entry), memory);
      if (bytes.byteLength !== page.sizeAt(entry)) throw damagedManifest('a block has another size than its entry');
      const offset = page.offsetAt(entry);
      yield bytes.subarray(Math.max(0, start - offset), Math.min(bytes.byteLength, end - offset));
    }
    if (page.end >= end) return;
  }
}

/** The blob's pages in order, from the one that holds the byte at `start`. */
export async function* pagesFrom(source: BlockSource, root: ManifestRootPage, start = 0): AsyncGenerator<ManifestPage> {
  const { pages } = root;
  if (pages.kind === 'none') return;
  if (pages.kind === 'embedded') {
    yield checkPage(decodeManifestPage(pages.page), 0, 0);
    return;
  }
  const memory = Buffer.allocUnsafeSlow(limits.blockSizeMax);
  for (let index = pageIndexAt(pages.links, start); index < pages.links.length; index++) {
    const link = pages.links[index] as (typeof pages.links)[number];
    yield checkPage(decodeManifestPage(await readVerified(source, link.id, memory)), index, link.firstOffset);
  }
}

function checkPage(page: ManifestPage | ManifestFault, index: number, firstOffset: number): ManifestPage {
  if (isManifestFault(page)) throw damagedManifest(page.fault);
  if (page.index !== index || page.firstOffset !== firstOffset) throw damagedManifest('a page stands in the wrong place');
  return page;
}

/** Reads a block into `memory` and compares it with its id. @throws QuasarError `corrupt`, `block_missing`. */
export async function readVerified(source: BlockSource, id: BlockId, memory: Buffer): Promise<Uint8Array> {
  const size = await source.readBlock(id, memory);
  if (size === undefined) throw new QuasarError('block_missing', { op: 'cli.readBlock', message: `Block ${id} is not there.` });
  const bytes = memory.subarray(0, size);
  if (digestToHex<BlockId>(blake3(bytes)) === id) return bytes;
  throw new QuasarError('corrupt', { op: 'cli.readBlock', message: `Block ${id} does not have the content it was stored with.` });
}

function damagedManifest(fault: string): QuasarError {
  return new QuasarError('corrupt', { op: 'cli.readManifest', message: `The manifest cannot be used: ${fault}.` });
}
