import { blake3 } from './blake3.ts';
import { BLOCK_ENTRY_SIZE, type BlockList } from './block-list.ts';
import { type BlockId, DIGEST_SIZE, digestToHex, type ManifestRoot } from './digest.ts';
import { limits } from './limits.ts';
import { PAGE_AT, viewOf } from './manifest-format.ts';
import { encodeManifestPage, firstEntryOf, firstOffsetOf } from './manifest-page.ts';
import { hashLeaf, MerkleTree } from './merkle.ts';

/**
 * The manifest of a blob at rest: pages of up to 4,096 entries (manifest-page.ts) and one root page that names the blob
 * (manifest-root.ts). docs/format/manifest-v1.md is the specification.
 *
 * - A page holds only what its place in the blob determines: equal stretches at equal places have equal pages.
 * - There is no checksum: every page is stored under the BLAKE3 of its bytes, and its reader verifies that.
 * - Decoders say what is wrong instead of throwing, since a scan meets foreign bytes. What they return is copied.
 */

/** The pages of a manifest, one by one, in order; none for the empty blob. The list must not grow meanwhile. */
export function* manifestPages(blocks: BlockList): Generator<Buffer> {
  let firstOffset = 0;
  let index = 0;
  for (let firstEntry = 0; firstEntry < blocks.count; firstEntry += limits.manifestPageEntries) {
    const end = Math.min(firstEntry + limits.manifestPageEntries, blocks.count);
    yield encodeManifestPage({ index, firstOffset, entries: blocks.entries(firstEntry, end) });
    for (let entry = firstEntry; entry < end; entry++) firstOffset += blocks.sizeAt(entry);
    index += 1;
  }
}

/** All pages at once. */
export function encodeManifestPages(blocks: BlockList): Buffer[] {
  return [...manifestPages(blocks)];
}

/** Leaves of `manifestRoot`, one a block, in order. Memory grows with the logarithm of their count. */
export class ManifestTree {
  readonly #tree = new MerkleTree();
  readonly #leaf = Buffer.alloc(LEAF_SIZE);
  readonly #firstEntry: number;
  #offset: number;

  /** The leaves of a part of a blob say where in the whole it begins. */
  constructor(start: { readonly firstEntry: number; readonly firstOffset: number } = { firstEntry: 0, firstOffset: 0 }) {
    this.#firstEntry = start.firstEntry;
    this.#offset = start.firstOffset;
  }

  get count(): number {
    return this.#tree.count;
  }

  /** Adds one entry as it stands in a page: id, then size. */
  addEntry(entry: Uint8Array, at = 0): void {
    const leaf = this.#leaf;
    const size = viewOf(entry).getUint32(at + DIGEST_SIZE, true);
    leaf.writeBigUInt64LE(BigInt(this.#firstEntry + this.#tree.count), 1);
    leaf.writeBigUInt64LE(BigInt(this.#offset), 9);
    leaf.writeBigUInt64LE(BigInt(size), 17);
    leaf.set(entry.subarray(at, at + DIGEST_SIZE), 25);
    this.#tree.add(hashLeaf(leaf));
    this.#offset += size;
  }

  root(): ManifestRoot {
    return digestToHex<ManifestRoot>(this.#tree.root());
  }

  rootBytes(): Uint8Array {
    return this.#tree.root();
  }
}

/** Domain, index, offset, size, id. */
const LEAF_SIZE = 1 + 8 + 8 + 8 + DIGEST_SIZE;

export interface PageDigests {
  /** Of the page as a record. */
  readonly id: BlockId;
  /** Merkle root over the page's entries alone. */
  readonly root: Uint8Array;
}

/** @param page one that `manifestPages` gave. */
export function digestsOfPage(page: Uint8Array): PageDigests {
  const tree = new ManifestTree({ firstEntry: firstEntryOf(page), firstOffset: firstOffsetOf(page) });
  for (let at = PAGE_AT.entries; at < page.byteLength; at += BLOCK_ENTRY_SIZE) tree.addEntry(page, at);
  return { id: digestToHex<BlockId>(blake3(page)), root: tree.rootBytes() };
}

/**
 * `manifestRoot` from the roots of all pages in order. A page has a power of two of entries, and only the last may have
 * fewer, so the pages' trees are subtrees of the whole (RFC 9162 section 2.1.1).
 */
export function manifestRootOfPages(pageRoots: readonly Uint8Array[]): ManifestRoot {
  const tree = new MerkleTree();
  for (const root of pageRoots) tree.add(root);
  return digestToHex<ManifestRoot>(tree.root());
}

/** Merkle root over all blocks: the same for equal cuts of equal bytes, whatever the pages look like. */
export function manifestRootOf(blocks: BlockList): ManifestRoot {
  const tree = new ManifestTree();
  const entries = blocks.entries(0);
  for (let at = 0; at < entries.length; at += BLOCK_ENTRY_SIZE) tree.addEntry(entries, at);
  return tree.root();
}
