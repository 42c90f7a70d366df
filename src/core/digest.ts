import { QuasarError } from './errors.ts';

declare const brand: unique symbol;

/** BLAKE3-256 of a raw block (or manifest page, or piece): 64 lower-case hex digits. */
export type BlockId = string & { readonly [brand]: 'BlockId' };
/** `b3:` and the BLAKE3-256 of the raw bytes in hex, the same digits as `b3sum` prints. */
export type BlobKey = string & { readonly [brand]: 'BlobKey' };
/** SHA-256 in 64 lower-case hex digits. */
export type Sha256 = string & { readonly [brand]: 'Sha256' };
/** Merkle root over a manifest's entries in hex. Depends on how the blob was cut; a BlobKey does not. */
export type ManifestRoot = string & { readonly [brand]: 'ManifestRoot' };

export const DIGEST_SIZE = 32;
const HEX = /^[0-9a-f]{64}$/;

/** @throws QuasarError `bad_parameter`. */
export function parseBlobKey(text: string): BlobKey {
  if (!text.startsWith('b3:') || !HEX.test(text.slice(3))) {
    throw new QuasarError('bad_parameter', {
      op: 'core.parseBlobKey',
      message: 'A blob key is "b3:" and 64 lower-case hex digits.',
      details: { parameter: 'key' },
    });
  }
  return text as BlobKey;
}

export function isHexDigest(text: string): boolean {
  return HEX.test(text);
}

/** A blob of one block or less has its block's id as key. */
export function blobKeyOf(blake3: string): BlobKey {
  return `b3:${blake3}` as BlobKey;
}

export function blake3Of(key: BlobKey): BlockId {
  return key.slice(3) as BlockId;
}

/** Copies: the caller keeps its bytes. */
export function digestToHex<D extends string>(bytes: Uint8Array): D {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as D;
}

export function digestToBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
