import { assert } from './assert.ts';
import {
  type BlobKey,
  type BlockId,
  blake3Of,
  blobKeyOf,
  DIGEST_SIZE,
  digestToBytes,
  digestToHex,
  type ManifestRoot,
  type Sha256,
} from './digest.ts';
import type { DocumentId, OrgId, VersionId } from './ids.ts';
import { limits } from './limits.ts';
import {
  ABSENT,
  FLAG_EMBEDDED,
  isManifestFault,
  MANIFEST_VERSION,
  type ManifestFault,
  PAGE_LINK_SIZE,
  ROOT_AT,
  ROOT_MAGIC,
  readNumber,
  viewOf,
} from './manifest-format.ts';
import { decodeManifestPage } from './manifest-page.ts';

/**
 * The root page of a manifest: everything needed to name and restore a blob from segments alone, when the database is
 * lost. docs/format/manifest-v1.md is the specification.
 */
export interface ManifestRootPage {
  readonly orgId: OrgId;
  readonly documentId: DocumentId;
  readonly versionId: VersionId;
  readonly blob: BlobKey;
  readonly size: number;
  readonly sha256: Sha256;
  /** A chunker's name; readers do not need to know it. */
  readonly chunker: string;
  readonly manifestRoot: ManifestRoot;
  readonly createdAtMs: number;
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly entryCount: number;
  readonly pages: RootPages;
}

/** No page (the empty blob), the only page's bytes, or the ids of two and more. */
export type RootPages =
  | { readonly kind: 'none' }
  | { readonly kind: 'embedded'; readonly page: Uint8Array }
  | { readonly kind: 'linked'; readonly links: readonly PageLink[] };

export interface PageLink {
  readonly id: BlockId;
  /** Offset in the blob of the page's first byte. */
  readonly firstOffset: number;
}

export function encodeManifestRoot(root: ManifestRootPage): Buffer {
  const strings = [encodeString(root.chunker), encodeString(root.contentType), encodeString(root.filename)];
  const head = Buffer.alloc(ROOT_AT.strings);
  head.writeUInt32LE(ROOT_MAGIC, ROOT_AT.magic);
  head.writeUInt16LE(MANIFEST_VERSION, ROOT_AT.version);
  head.writeUInt16LE(root.pages.kind === 'embedded' ? FLAG_EMBEDDED : 0, ROOT_AT.flags);
  head.writeBigUInt64LE(BigInt(root.size), ROOT_AT.size);
  head.writeBigUInt64LE(BigInt(root.entryCount), ROOT_AT.entryCount);
  head.writeUInt32LE(pageCountOf(root.pages), ROOT_AT.pageCount);
  head.writeBigUInt64LE(BigInt(root.createdAtMs), ROOT_AT.createdAt);
  head.set(digestToBytes(blake3Of(root.blob)), ROOT_AT.blake3);
  head.set(digestToBytes(root.sha256), ROOT_AT.sha256);
  head.set(digestToBytes(root.manifestRoot), ROOT_AT.manifestRoot);
  head.set(uuidToBytes(root.orgId), ROOT_AT.orgId);
  head.set(uuidToBytes(root.documentId), ROOT_AT.documentId);
  head.set(uuidToBytes(root.versionId), ROOT_AT.versionId);
  const page = Buffer.concat([head, ...strings, encodePages(root.pages)]);
  assert(page.length <= limits.blockSizeMax, 'a root page fits a block');
  return page;
}

/** Tells a root page from other manifest records by its first bytes; `decodeManifestRoot` tells whether it is valid. */
export function isManifestRoot(bytes: Uint8Array): boolean {
  return bytes.length >= ROOT_AT.strings && viewOf(bytes).getUint32(ROOT_AT.magic, true) === ROOT_MAGIC;
}

/** Does not compare `manifestRoot` or digests with the blocks: that needs all pages. */
export function decodeManifestRoot(bytes: Uint8Array): ManifestRootPage | ManifestFault {
  const head = decodeHead(bytes);
  if (isManifestFault(head)) return head;
  const reader = { bytes, at: ROOT_AT.strings };
  const chunker = readString(reader);
  const contentType = readString(reader);
  const filename = readString(reader);
  if (!chunker || !contentType || !filename) return { fault: 'a string is cut off or not UTF-8' };
  if (chunker.text === undefined || contentType.text === undefined) return { fault: 'chunker or media type is absent' };
  const pages = decodePages(bytes.subarray(reader.at), head);
  if (isManifestFault(pages)) return pages;
  const { embedded: _, pageCount: __, ...facts } = head;
  return { ...facts, chunker: chunker.text, contentType: contentType.text, filename: filename.text, pages };
}

/** The page that holds the byte at `offset` of a blob with linked pages. */
export function pageIndexAt(links: readonly PageLink[], offset: number): number {
  assert(links.length > 0, 'a linked manifest has pages');
  let low = 0;
  let high = links.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((links[middle] as PageLink).firstOffset <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

type RootHead = Omit<ManifestRootPage, 'chunker' | 'contentType' | 'filename' | 'pages'> & {
  readonly embedded: boolean;
  readonly pageCount: number;
};

function decodeHead(bytes: Uint8Array): RootHead | ManifestFault {
  if (bytes.length < ROOT_AT.strings) return { fault: 'it is shorter than a root page' };
  const view = viewOf(bytes);
  if (view.getUint32(ROOT_AT.magic, true) !== ROOT_MAGIC) return { fault: 'it does not start with the magic of a root page' };
  const version = view.getUint16(ROOT_AT.version, true);
  if (version !== MANIFEST_VERSION) return { fault: `its version is ${version}, known is ${MANIFEST_VERSION}` };
  const flags = view.getUint16(ROOT_AT.flags, true);
  if ((flags & ~FLAG_EMBEDDED) !== 0 || view.getUint32(ROOT_AT.reserved, true) !== 0)
    return { fault: 'its reserved bits are not zero' };
  const size = readNumber(view, ROOT_AT.size);
  const entryCount = readNumber(view, ROOT_AT.entryCount);
  const pageCount = view.getUint32(ROOT_AT.pageCount, true);
  const createdAtMs = readNumber(view, ROOT_AT.createdAt);
  if (size === undefined || size > limits.blobSizeMax) return { fault: 'its size is beyond the largest blob' };
  if (entryCount === undefined || pageCount !== Math.ceil(entryCount / limits.manifestPageEntries)) {
    return { fault: 'its page count does not fit its entry count' };
  }
  if (createdAtMs === undefined) return { fault: 'its time is out of range' };
  const embedded = (flags & FLAG_EMBEDDED) !== 0;
  if (embedded !== (pageCount === 1)) return { fault: 'only a single page is embedded, and always' };
  return {
    orgId: bytesToUuid<OrgId>(bytes, ROOT_AT.orgId),
    documentId: bytesToUuid<DocumentId>(bytes, ROOT_AT.documentId),
    versionId: bytesToUuid<VersionId>(bytes, ROOT_AT.versionId),
    blob: blobKeyOf(readDigest(bytes, ROOT_AT.blake3)),
    sha256: readDigest<Sha256>(bytes, ROOT_AT.sha256),
    manifestRoot: readDigest<ManifestRoot>(bytes, ROOT_AT.manifestRoot),
    ...{ size, entryCount, createdAtMs, embedded, pageCount },
  };
}

function decodePages(bytes: Uint8Array, head: RootHead): RootPages | ManifestFault {
  if (head.embedded) return decodeEmbedded(bytes, head);
  if (bytes.length !== head.pageCount * PAGE_LINK_SIZE) return { fault: 'its length does not fit its page count' };
  if (head.pageCount === 0) return head.size === 0 ? { kind: 'none' } : { fault: 'it has bytes but no pages' };
  const view = viewOf(bytes);
  const links: PageLink[] = [];
  for (let at = 0; at < bytes.length; at += PAGE_LINK_SIZE) {
    const firstOffset = readNumber(view, at + DIGEST_SIZE);
    const previous = links.at(-1)?.firstOffset ?? -1;
    if (firstOffset === undefined || firstOffset <= previous || firstOffset >= head.size || (at === 0 && firstOffset !== 0)) {
      return { fault: `page ${links.length} starts at an impossible offset` };
    }
    links.push({ id: readDigest<BlockId>(bytes, at), firstOffset });
  }
  return { kind: 'linked', links };
}

function decodeEmbedded(bytes: Uint8Array, head: RootHead): RootPages | ManifestFault {
  const page = decodeManifestPage(bytes);
  if (isManifestFault(page)) return { fault: `its embedded page is invalid: ${page.fault}` };
  if (page.index !== 0 || page.firstOffset !== 0 || page.count !== head.entryCount || page.end !== head.size) {
    return { fault: 'its embedded page does not fit its size and entry count' };
  }
  return { kind: 'embedded', page: Buffer.from(bytes) };
}

function pageCountOf(pages: RootPages): number {
  if (pages.kind === 'none') return 0;
  return pages.kind === 'embedded' ? 1 : pages.links.length;
}

function encodePages(pages: RootPages): Uint8Array {
  if (pages.kind === 'none') return Buffer.alloc(0);
  if (pages.kind === 'embedded') return pages.page;
  const bytes = Buffer.alloc(pages.links.length * PAGE_LINK_SIZE);
  pages.links.forEach((link, index) => {
    bytes.set(digestToBytes(link.id), index * PAGE_LINK_SIZE);
    bytes.writeBigUInt64LE(BigInt(link.firstOffset), index * PAGE_LINK_SIZE + DIGEST_SIZE);
  });
  return bytes;
}

function encodeString(text: string | undefined): Buffer {
  const content = Buffer.from(text ?? '', 'utf8');
  assert(content.length < ABSENT, 'a string of a root page has a length of two bytes');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text === undefined ? ABSENT : content.length);
  return Buffer.concat([length, content]);
}

/** Undefined when the string is cut off or not UTF-8; `text` is undefined when it is absent. */
function readString(reader: { readonly bytes: Uint8Array; at: number }): { readonly text: string | undefined } | undefined {
  const { bytes, at } = reader;
  if (at + 2 > bytes.length) return undefined;
  const length = viewOf(bytes).getUint16(at, true);
  reader.at = at + 2;
  if (length === ABSENT) return { text: undefined };
  if (reader.at + length > bytes.length) return undefined;
  reader.at += length;
  const content = Buffer.from(bytes.subarray(at + 2, reader.at));
  const text = content.toString('utf8');
  return Buffer.from(text, 'utf8').equals(content) ? { text } : undefined;
}

function readDigest<D extends string>(bytes: Uint8Array, at: number): D {
  return digestToHex<D>(bytes.subarray(at, at + DIGEST_SIZE));
}

function uuidToBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function bytesToUuid<Id extends string>(bytes: Uint8Array, at: number): Id {
  const hex = Buffer.from(bytes.subarray(at, at + 16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Id;
}
