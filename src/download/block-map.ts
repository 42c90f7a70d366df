import type { BlobFacts, Catalog } from '../catalog/catalog.ts';
import { type BlobKey, type BlockId, blake3Of } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { isManifestFault } from '../core/manifest-format.ts';
import { decodeManifestPage, type ManifestPage } from '../core/manifest-page.ts';

/** The part of a block a range asks for. */
export interface BlockSpan {
  readonly id: BlockId;
  /** Size of the whole block. */
  readonly size: number;
  /** Where the wanted bytes start and end in the block; end exclusive. */
  readonly start: number;
  readonly end: number;
}

/**
 * Which blocks hold which bytes of a blob. Pages come from the catalog and stay in a cache bounded in bytes; a blob of
 * one block needs none, its only entry is its key.
 */
export class BlockMap {
  readonly #catalog: Catalog;
  readonly #bytesMax: number;
  /** In order of last use, oldest first. Keyed by org too: what one org has loaded tells another nothing. */
  readonly #pages = new Map<string, ManifestPage>();
  #bytes = 0;
  #newest: string | undefined;
  /** Of each blob's first page: making the key takes as long as looking it up. */
  readonly #firstKeys = new WeakMap<BlobFacts, FirstKey>();

  constructor(catalog: Catalog, bytesMax: number = limits.manifestCacheBytes) {
    this.#catalog = catalog;
    this.#bytesMax = bytesMax;
  }

  /** The one block that holds all of the range, if that is known without asking the catalog. */
  tryFindSingle(scope: Scope, blob: BlobFacts, start: number, end: number): BlockSpan | undefined {
    if (blob.blockCount === 1) return { id: blake3Of(blob.key), size: blob.size, start, end };
    const guess = pageGuess(blob, start);
    const page = guess === undefined ? undefined : this.#touch(this.#pageKey(scope, blob, guess));
    if (page === undefined || start < page.firstOffset || end > page.end) return undefined;
    const entry = page.entryAt(start);
    const offset = page.offsetAt(entry);
    const size = page.sizeAt(entry);
    if (end > offset + size) return undefined;
    return { id: page.idAt(entry), size, start: start - offset, end: end - offset };
  }

  /** Blocks that cover the bytes from `start` up to `end`, in order. */
  async *spans(scope: Scope, blob: BlobFacts, start: number, end: number): AsyncGenerator<BlockSpan, void, undefined> {
    if (start >= end) return;
    if (blob.blockCount === 1) {
      yield { id: blake3Of(blob.key), size: blob.size, start, end };
      return;
    }
    let page = await this.#pageAt(scope, blob, start);
    for (;;) {
      const covering = page.entriesCovering(start, end);
      for (let entry = covering.first; entry < covering.end; entry++) yield spanOf(page, entry, start, end);
      if (page.end >= end) return;
      page = await this.#page(scope, blob, page.index + 1);
    }
  }

  async #pageAt(scope: Scope, blob: BlobFacts, offset: number): Promise<ManifestPage> {
    const guess = pageGuess(blob, offset);
    if (guess !== undefined) return this.#page(scope, blob, guess);
    let low = 0;
    let high = Math.ceil(blob.blockCount / limits.manifestPageEntries) - 1;
    for (;;) {
      const page = await this.#page(scope, blob, (low + high) >>> 1);
      if (offset < page.firstOffset) high = page.index - 1;
      else if (offset >= page.end) low = page.index + 1;
      else return page;
      if (low > high) throw new QuasarError('corrupt', { op: 'download.manifest' });
    }
  }

  async #page(scope: Scope, blob: BlobFacts, index: number): Promise<ManifestPage> {
    const key = this.#pageKey(scope, blob, index);
    const cached = this.#touch(key);
    if (cached !== undefined) return cached;
    const bytes = await this.#catalog.findManifestPage(scope, blob.key, index);
    const page = bytes === undefined ? { fault: 'it is missing' } : decodeManifestPage(bytes);
    if (isManifestFault(page) || page.index !== index) {
      throw new QuasarError('corrupt', { op: 'download.manifest', cause: page });
    }
    this.#keep(key, page);
    return page;
  }

  #pageKey(scope: Scope, blob: BlobFacts, index: number): string {
    if (index > 0) return pageKey(scope, blob.key, index);
    let first = this.#firstKeys.get(blob);
    if (first?.scope.orgId !== scope.orgId) {
      first = { scope, key: pageKey(scope, blob.key, 0) };
      this.#firstKeys.set(blob, first);
    }
    return first.key;
  }

  #touch(key: string): ManifestPage | undefined {
    const page = this.#pages.get(key);
    if (page === undefined || key === this.#newest) return page;
    this.#pages.delete(key);
    this.#pages.set(key, page);
    this.#newest = key;
    return page;
  }

  #keep(key: string, page: ManifestPage): void {
    if (this.#pages.has(key)) return;
    this.#pages.set(key, page);
    this.#newest = key;
    this.#bytes += page.memorySize;
    for (const [oldest, { memorySize }] of this.#pages) {
      if (this.#bytes <= this.#bytesMax || oldest === key) return;
      this.#pages.delete(oldest);
      this.#bytes -= memorySize;
    }
  }
}

interface FirstKey {
  readonly scope: Scope;
  readonly key: string;
}

function spanOf(page: ManifestPage, entry: number, start: number, end: number): BlockSpan {
  const offset = page.offsetAt(entry);
  const size = page.sizeAt(entry);
  return {
    id: page.idAt(entry),
    size,
    start: Math.max(0, start - offset),
    end: Math.min(size, end - offset),
  };
}

/** Blocks of equal size tell the page without asking; a manifest of one page has no other. */
function pageGuess(blob: BlobFacts, offset: number): number | undefined {
  if (blob.blockCount <= limits.manifestPageEntries) return 0;
  if (blob.chunker !== 'fixed-1m') return undefined;
  return Math.floor(offset / (limits.blockSizeMax * limits.manifestPageEntries));
}

function pageKey(scope: Scope, key: BlobKey, index: number): string {
  return `${scope.orgId}/${key}/${index}`;
}
