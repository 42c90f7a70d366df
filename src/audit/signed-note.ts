import { sign, verify } from 'node:crypto';
import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';
import { Fault } from '../segment/fault.ts';
import { decodeBase64 } from './base64.ts';
import { isNoteKeyName, type NoteSigner, type NoteVerifier } from './note-key.ts';

/**
 * Signed notes (C2SP signed-note, Ed25519): a text that ends in a newline, an empty line, and signatures, one a line:
 *
 *     — <key name> <base64 of the 4-byte key id and the signature over the text>
 *
 * Signatures by unknown keys are kept and say nothing, so witnesses and later keys may sign too.
 */
export interface SignedNote {
  /** What is signed, its last newline included. Means nothing before `verifyNote` said so. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** Of the key: 8 lower-case hex digits. */
  readonly id: string;
  readonly signature: Uint8Array;
}

export interface VerifiedNote {
  readonly text: string;
  /** Each trusted key that signed, once; at least one. */
  readonly signers: readonly NoteVerifier[];
  /** Signatures that no trusted key claims. */
  readonly unknown: readonly NoteSignature[];
}

const KEY_ID_SIZE = 4;
/** Control characters but the newline, and halves of surrogate pairs, which UTF-8 does not have. */
const FORBIDDEN = /[^\P{Cc}\n]|\p{Surrogate}/u;
const SIGNATURE_LINE = /^— (\S+) (\S+)$/u;

/** The text is ours: it ends in a newline and has no other control character. At least one signer. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  assert(text.endsWith('\n') && !FORBIDDEN.test(text), 'the text of a note is lines without control characters');
  assert(signers.length > 0, 'a note has a signature');
  const lines = signers.map(({ name, id, key }) => {
    const signature = sign(null, Buffer.from(text), key);
    return `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Reads the form alone; whether a signature is right is for `verifyNote` to say. */
export function parseSignedNote(note: string): SignedNote | Fault {
  if (note.length > limits.noteSizeMax) return new Fault('the note is longer than a reader takes');
  if (FORBIDDEN.test(note)) return new Fault('the note has a control character');
  if (!note.endsWith('\n')) return new Fault('the note does not end in a newline');
  const end = note.lastIndexOf('\n\n');
  if (end < 0) return new Fault('the note has no empty line before its signatures');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > limits.noteSignaturesMax) return new Fault('the note has more signatures than a reader takes');
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature instanceof Fault) return signature;
    signatures.push(signature);
  }
  return { text: note.slice(0, end + 1), signatures };
}

/** A wrong signature of a trusted key spoils the note, whoever else signed it. */
export function verifyNote(note: SignedNote, trusted: readonly NoteVerifier[]): VerifiedNote | Fault {
  const text = Buffer.from(note.text);
  const signers: NoteVerifier[] = [];
  const unknown: NoteSignature[] = [];
  for (const signature of note.signatures) {
    const verifier = trusted.find(({ name, id }) => name === signature.name && id === signature.id);
    if (verifier === undefined) unknown.push(signature);
    else if (!verify(null, text, verifier.key, signature.signature))
      return new Fault(`the signature of ${verifier.name} is not over this text`);
    else if (!signers.includes(verifier)) signers.push(verifier);
  }
  return signers.length > 0 ? { text: note.text, signers, unknown } : new Fault('no trusted key signed the note');
}

function parseSignature(line: string): NoteSignature | Fault {
  const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? [];
  if (!isNoteKeyName(name)) return new Fault('a line behind the empty line is no signature');
  const bytes = decodeBase64(base64);
  if (bytes === undefined || bytes.byteLength <= KEY_ID_SIZE)
    return new Fault('a signature is not Base64 of a key id and a signature');
  return { name, id: bytes.toString('hex', 0, KEY_ID_SIZE), signature: bytes.subarray(KEY_ID_SIZE) };
}
