import { assert } from './assert.ts';
import { BLOCK_ENTRY_SIZE } from './block-list.ts';
import { DIGEST_SIZE } from './digest.ts';
import { limits } from './limits.ts';

/**
 * Every offset and magic number of manifests at rest, format v1. docs/format/manifest-v1.md is the specification;
 * test/format compares the two. Little-endian throughout.
 */
export const MANIFEST_VERSION = 1;

/** "QMPG" and "QMRT" as they stand in the file. */
export const PAGE_MAGIC = 0x47504d51;
export const ROOT_MAGIC = 0x54524d51;

export const PAGE_AT = {
  magic: 0,
  version: 4,
  reserved: 6,
  index: 8,
  count: 12,
  firstEntry: 16,
  firstOffset: 24,
  entries: 32,
} as const;

export const ROOT_AT = {
  magic: 0,
  version: 4,
  flags: 6,
  size: 8,
  entryCount: 16,
  pageCount: 24,
  reserved: 28,
  createdAt: 32,
  blake3: 40,
  sha256: 72,
  manifestRoot: 104,
  orgId: 136,
  documentId: 152,
  versionId: 168,
  strings: 184,
} as const;

/** Flag of a root page: the blob's only page follows the strings, instead of a list of pages. */
export const FLAG_EMBEDDED = 1;
/** Page list entry of a root page: id, then the offset of the page's first byte in the blob. */
export const PAGE_LINK_SIZE = DIGEST_SIZE + 8;
/** A string length that says "absent", apart from the empty string. */
export const ABSENT = 0xffff;

export const PAGE_SIZE_MAX = PAGE_AT.entries + limits.manifestPageEntries * BLOCK_ENTRY_SIZE;

/** The finest chunker cuts no block below this but the last. */
const BLOCK_SIZE_MIN = 65_536;
const pageCountMax = Math.ceil(limits.blobSizeMax / BLOCK_SIZE_MIN / limits.manifestPageEntries);
const stringsMax = 3 * 65_536;

assert(PAGE_SIZE_MAX + ROOT_AT.strings + stringsMax <= limits.blockSizeMax, 'a root page with its only page fits a block');
assert(
  pageCountMax * PAGE_LINK_SIZE + ROOT_AT.strings + stringsMax <= limits.blockSizeMax,
  'the root page of the largest blob fits a block',
);

/** Why bytes are no valid page, in words for `inspect-segment` and the log. */
export interface ManifestFault {
  readonly fault: string;
}

export function isManifestFault(outcome: object): outcome is ManifestFault {
  return 'fault' in outcome;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A u64 that a JSON number can hold; undefined beyond. */
export function readNumber(view: DataView, at: number): number | undefined {
  const value = view.getBigUint64(at, true);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}
