import type { Hasher } from '../chunker/hasher.ts';
import type { BlockList } from '../core/block-list.ts';
import type { ManifestRoot } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import { digestsOfPage, manifestPages, manifestRootOfPages, type PageDigests } from '../core/manifest.ts';
import type { OutgoingBlock } from '../graviton/node.ts';

export interface BlobManifest {
  /** The pages as the records they become, in order; none for the empty blob. */
  readonly pages: readonly OutgoingBlock[];
  readonly manifestRoot: ManifestRoot;
}

/**
 * The manifest of a blob's blocks. A full page takes some 30 ms to hash, and a blob of 1 TiB has 256 of them: all but
 * short ones are hashed on a lane, one at a time, so that the event loop is never held for more than a page's encoding.
 */
export async function blobManifest(blocks: BlockList, hasher: Pick<Hasher, 'hashManifestPage'>): Promise<BlobManifest> {
  const pages: OutgoingBlock[] = [];
  const roots: Uint8Array[] = [];
  for (const bytes of manifestPages(blocks)) {
    const { id, root }: PageDigests =
      blocks.count <= limits.inlineManifestEntriesMax ? digestsOfPage(bytes) : await hasher.hashManifestPage(bytes);
    pages.push({ kind: 'manifest', id, bytes });
    roots.push(root);
  }
  return { pages, manifestRoot: manifestRootOfPages(roots) };
}
