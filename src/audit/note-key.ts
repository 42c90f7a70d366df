import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';
import { Fault } from '../segment/fault.ts';
import { decodeBase64 } from './base64.ts';

/**
 * Ed25519 keys of signed notes (C2SP signed-note), and their text as the Go module sumdb/note defined it:
 *
 *     verifier  <name>+<key id>+<base64 of 0x01 and the 32-byte public key>
 *     signer    PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and the 32-byte seed>
 *
 * The key id is the first four bytes of SHA-256(name, 0x0A, 0x01, public key) in hex. It belongs to name and key together,
 * so one key serves several names, and a signature under one of them says nothing under another.
 */
export interface NoteVerifier {
  readonly name: string;
  /** 8 lower-case hex digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** A secret. `key` prints nothing of itself. */
export interface NoteSigner extends NoteVerifier {
  readonly verifier: NoteVerifier;
}

export const NOTE_SEED_SIZE = 32;
const ED25519 = 0x01;
const KEY_SIZE = 32;
/** A PKCS #8 structure around an Ed25519 seed is these bytes and the seed (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SIGNER_HEAD = 'PRIVATE+KEY+';

// No Unicode space (\s lacks only U+0085) and no plus, as the note's own syntax needs; no control character.
const KEY_NAME = /^[^\s\p{Cc}\p{Surrogate}+]+$/u;

export function isNoteKeyName(name: string): boolean {
  return name.length <= limits.noteKeyNameMax && KEY_NAME.test(name);
}

/** Copies the seed: 32 bytes of strong randomness, or of a key file. */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  assert(isNoteKeyName(name), 'a key name has neither spaces nor plus signs');
  assert(seed.byteLength === NOTE_SEED_SIZE, 'an Ed25519 seed has 32 bytes');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const verifier = verifierOf(name, createPublicKey(key));
  return { name, id: verifier.id, key, verifier };
}

/** The same key under another name. */
export function renameSigner(signer: NoteSigner, name: string): NoteSigner {
  return noteSigner(name, seedOf(signer));
}

/** The fault never quotes the text. */
export function parseNoteSigner(text: string): NoteSigner | Fault {
  if (!text.startsWith(SIGNER_HEAD)) return new Fault('a signing key begins with PRIVATE+KEY+');
  const parts = splitKey(text.slice(SIGNER_HEAD.length));
  if (parts instanceof Fault) return parts;
  const signer = noteSigner(parts.name, parts.bytes);
  return signer.id === parts.id ? signer : new Fault('the key id does not belong to this name and key');
}

export function formatNoteSigner(signer: NoteSigner): string {
  return `${SIGNER_HEAD}${formatKey(signer, seedOf(signer))}`;
}

export function parseNoteVerifier(text: string): NoteVerifier | Fault {
  const parts = splitKey(text);
  if (parts instanceof Fault) return parts;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: parts.bytes.toString('base64url') }, format: 'jwk' });
  const verifier = verifierOf(parts.name, key);
  return verifier.id === parts.id ? verifier : new Fault('the key id does not belong to this name and key');
}

export function formatNoteVerifier(verifier: NoteVerifier): string {
  return formatKey(verifier, publicBytes(verifier.key));
}

function verifierOf(name: string, key: KeyObject): NoteVerifier {
  const hash = createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(publicBytes(key));
  return { name, id: hash.digest('hex').slice(0, 8), key };
}

function publicBytes(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url');
}

function seedOf(signer: NoteSigner): Buffer {
  return Buffer.from(signer.key.export({ format: 'jwk' }).d as string, 'base64url');
}

function formatKey({ name, id }: NoteVerifier, bytes: Uint8Array): string {
  return `${name}+${id}+${Buffer.concat([Buffer.of(ED25519), bytes]).toString('base64')}`;
}

/** Base64 may hold a plus, so only the first two divide. */
function splitKey(text: string): { name: string; id: string; bytes: Buffer } | Fault {
  const [, name, id, base64] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/su.exec(text) ?? [];
  if (name === undefined || id === undefined || base64 === undefined) return new Fault('a key is written name+id+base64');
  if (!isNoteKeyName(name)) return new Fault('the key name has a space or is not of the right length');
  const bytes = decodeBase64(base64);
  if (bytes === undefined) return new Fault('the key is not Base64');
  if (bytes[0] !== ED25519) return new Fault('the key is not of type Ed25519');
  return bytes.byteLength === 1 + KEY_SIZE ? { name, id, bytes: bytes.subarray(1) } : new Fault('the key has not 32 bytes');
}
