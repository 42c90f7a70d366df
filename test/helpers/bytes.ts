import { createHash } from 'node:crypto';
import { blake3 } from '../../src/core/blake3.ts';

/** Reproducible bytes that do not repeat within 64 KiB steps: no two blocks of them are equal. */
export function patternBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, size >>> 2);
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    words[at] = state;
  }
  for (let at = words.length * 4; at < size; at++) bytes[at] = (at * 31 + seed) & 0xff;
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function blobKey(bytes: Uint8Array): string {
  return `b3:${blake3(bytes).toString('hex')}`;
}

export function reprDigest(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
}
