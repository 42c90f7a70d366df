import { createHash } from 'node:crypto';
import { DIGEST_SIZE } from '../core/digest.ts';
import { decodeBase64 } from './base64.ts';

declare const brand: unique symbol;

/** Hash of a leaf or a node of an audit log's tree: SHA-256, 32 bytes. Made by this file alone; nobody writes into one. */
export type TreeHash = Uint8Array & { readonly [brand]: 'TreeHash' };

/** Hash of the tree without leaves (RFC 9162 section 2.1.1): of nothing. */
export const EMPTY_ROOT: TreeHash = createHash('sha256').digest() as Uint8Array as TreeHash;

/** Leaves and nodes are hashed behind different first bytes, so that a node can never pass for a leaf. */
const LEAF_PREFIX = Buffer.of(0x00);
const NODE_PREFIX = Buffer.of(0x01);

export function hashLeaf(content: Uint8Array): TreeHash {
  return createHash('sha256').update(LEAF_PREFIX).update(content).digest() as Uint8Array as TreeHash;
}

export function hashNode(left: Uint8Array, right: Uint8Array): TreeHash {
  return createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest() as Uint8Array as TreeHash;
}

/** Borrows the bytes. Returns undefined when they are no hash. */
export function asTreeHash(bytes: Uint8Array): TreeHash | undefined {
  return bytes.byteLength === DIGEST_SIZE ? (bytes as TreeHash) : undefined;
}

export function equalHashes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** Reads what `treeHashToBase64` writes. Returns undefined for any other text. */
export function parseTreeHash(text: string): TreeHash | undefined {
  const bytes = decodeBase64(text);
  return bytes === undefined ? undefined : asTreeHash(bytes);
}

/** As checkpoints and proofs write a hash. */
export function treeHashToBase64(hash: TreeHash): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64');
}
