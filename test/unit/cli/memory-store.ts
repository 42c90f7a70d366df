import { createHash } from 'node:crypto';
import type { BlockSource } from '../../../src/cli/stored-blob.ts';
import { blake3 } from '../../../src/core/blake3.ts';
import { BlockList } from '../../../src/core/block-list.ts';
import { type BlockId, blobKeyOf, digestToHex, type Sha256 } from '../../../src/core/digest.ts';
import type { DocumentId, OrgId, VersionId } from '../../../src/core/ids.ts';
import { encodeManifestPages, manifestRootOf } from '../../../src/core/manifest.ts';
import { firstOffsetOf } from '../../../src/core/manifest-page.ts';
import { encodeManifestRoot, type ManifestRootPage } from '../../../src/core/manifest-root.ts';

export const uuid = (text: string): string => `0192f3a1-6c1e-7d34-9a55-${text.padStart(12, '0')}`;

/** Blocks of a node in memory, with what a manifest writer would have put beside them. */
export class MemoryStore implements BlockSource {
  readonly blocks = new Map<BlockId, Buffer>();
  readonly manifests: BlockId[] = [];

  async readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    const bytes = this.blocks.get(id);
    if (bytes !== undefined) target.set(bytes);
    return bytes?.byteLength;
  }

  async *listManifests(): AsyncGenerator<BlockId> {
    yield* this.manifests;
  }

  put(bytes: Buffer): BlockId {
    const id = digestToHex<BlockId>(blake3(bytes));
    this.blocks.set(id, bytes);
    return id;
  }

  /** Stores a blob cut into blocks of `blockSize`, with its manifest. */
  store(
    bytes: Buffer,
    about: { document: string; org?: string; filename?: string; createdAtMs?: number; blockSize?: number },
  ): ManifestRootPage {
    const blocks = new BlockList();
    const blockSize = about.blockSize ?? 1000;
    for (let at = 0; at < bytes.length; at += blockSize) {
      const block = bytes.subarray(at, at + blockSize);
      blocks.push(this.put(block), block.length);
    }
    const root: ManifestRootPage = {
      orgId: uuid(about.org ?? '1') as OrgId,
      documentId: uuid(about.document) as DocumentId,
      versionId: uuid(`${about.document}0${about.createdAtMs ?? 0}`) as VersionId,
      blob: blobKeyOf(digestToHex(blake3(bytes))),
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex') as Sha256,
      chunker: 'fixed-1m',
      manifestRoot: manifestRootOf(blocks),
      createdAtMs: about.createdAtMs ?? 0,
      filename: about.filename,
      contentType: 'text/plain',
      entryCount: blocks.count,
      pages: this.#pages(encodeManifestPages(blocks)),
    };
    this.manifests.push(this.put(encodeManifestRoot(root)));
    return root;
  }

  #pages(pages: readonly Buffer[]): ManifestRootPage['pages'] {
    const [only] = pages;
    if (only === undefined) return { kind: 'none' };
    if (pages.length === 1) return { kind: 'embedded', page: only };
    const links = pages.map((page) => ({ id: this.put(page), firstOffset: firstOffsetOf(page) }));
    this.manifests.push(...links.map(({ id }) => id));
    return { kind: 'linked', links };
  }
}
