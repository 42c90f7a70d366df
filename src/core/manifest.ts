import { BLOCK_ENTRY_SIZE, type BlockList } from './block-list.ts';
import { DIGEST_SIZE, digestToHex, type ManifestRoot } from './digest.ts';
import { limits } from './limits.ts';
import { viewOf } from './manifest-format.ts';
import { encodeManifestPage } from './manifest-page.ts';
import { hashLeaf, MerkleTree } from './merkle.ts';

/**
 * The manifest of a blob at rest: pages of up to 4,096 entries (manifest-page.ts) and one root page that names the blob
 * (manifest-root.ts). docs/format/manifest-v1.md is the specification.
 *
 * - A page holds only what its place in the blob determines: equal stretches at equal places have equal pages.
 * - There is no checksum: every page is stored under the BLAKE3 of its bytes, and its reader verifies that.
 * - Decoders say what is wrong instead of throwing, since a scan meets foreign bytes. What they return is copied.
 */

/** All pages of a manifest in order; none for the empty blob. */
export function encodeManifestPages(blocks: BlockList): Buffer[] {
  const pages: Buffer[] = [];
  let firstOffset = 0;
  for (let firstEntry = 0; firstEntry < blocks.count; firstEntry += limits.manifestPageEntries) {
    const end = Math.min(firstEntry + limits.manifestPageEntries, blocks.count);
    pages.push(encodeManifestPage({ index: pages.length, firstOffset, entries: blocks.entries(firstEntry, end) }));
    for (let entry = firstEntry; entry < end; entry++) firstOffset += blocks.sizeAt(entry);
  }
  return pages;
}

/** Leaves of `manifestRoot`, one a block, in order. Memory grows with the logarithm of their count. */
export class ManifestTree {
  readonly #tree = new MerkleTree();
  readonly #leaf = Buffer.alloc(LEAF_SIZE);
  #offset = 0;

  get count(): number {
    return this.#tree.count;
  }

  /** Adds one entry as it stands in a page: id, then size. */
  addEntry(entry: Uint8Array, at = 0): void {
    const leaf = this.#leaf;
    const size = viewOf(entry).getUint32(at + DIGEST_SIZE, true);
    leaf.writeBigUInt64LE(BigInt(this.#tree.count), 1);
    leaf.writeBigUInt64LE(BigInt(this.#offset), 9);
    leaf.writeBigUInt64LE(BigInt(size), 17);
    leaf.set(entry.subarray(at, at + DIGEST_SIZE), 25);
    this.#tree.add(hashLeaf(leaf));
    this.#offset += size;
  }

  root(): ManifestRoot {
    return digestToHex<ManifestRoot>(this.#tree.root());
  }
}

/** Domain, index, offset, size, id. */
const LEAF_SIZE = 1 + 8 + 8 + 8 + DIGEST_SIZE;

/** Merkle root over all blocks: the same for equal cuts of equal bytes, whatever the pages look like. */
export function manifestRootOf(blocks: BlockList): ManifestRoot {
  const tree = new ManifestTree();
  const entries = blocks.entries(0);
  for (let at = 0; at < entries.length; at += BLOCK_ENTRY_SIZE) tree.addEntry(entries, at);
  return tree.root();
}
