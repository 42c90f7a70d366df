import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Secret } from '../config/secret.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { type KeyId, newId, parseId } from '../core/ids.ts';
import { decodeBase32, encodeBase32 } from './base32.ts';
import { API_KEY_PREFIX } from './bearer.ts';
import { unauthenticated } from './bearer-fault.ts';

/**
 * API keys: `quasar_<id>_<secret><checksum>`, 73 characters, the digits in Crockford's base 32 of lower case.
 *
 *   id        26 digits: the key's UUIDv7, by which it is looked up, listed and revoked
 *   secret    32 digits: 160 random bits
 *   checksum   7 digits: CRC-32 (as zlib has it) of all that stands before it, both `_` included
 *
 * The checksum tells a mistyped or cut key from an unknown one, and lets a scanner for leaked secrets know a key off line.
 * It adds nothing to the strength. Stored is only the HMAC-SHA-256 of the whole text under the pepper, a secret file: a
 * stolen table holds nothing that opens a door, and a row moved to another id fits no key.
 */

/** A key that is well-formed; whether it is good is for `verifyApiKey`. */
export interface ApiKey {
  readonly id: KeyId;
  readonly text: Secret;
}

/** What is kept of a key. Times in ms since the epoch. */
export interface StoredApiKey {
  readonly mac: Uint8Array;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
}

/** `unknown` is no such key or a wrong secret, whoever asks must not learn which. The rest is told to holders of the secret. */
export type ApiKeyVerdict = 'good' | 'unknown' | 'revoked' | 'expired';

export function newApiKey(clock: Clock): ApiKey {
  const id = newId<KeyId>(clock);
  const body = `${API_KEY_PREFIX}${base32Of(id)}_${encodeBase32(clock.random(SECRET_SIZE))}`;
  return { id, text: new Secret(body + checksumOf(body)) };
}

/** Not a promise that the key is known. @throws QuasarError `unauthenticated` with `api_key_malformed`, and never with the text. */
export function parseApiKey(text: string): ApiKey {
  if (!FORM.test(text)) throw malformed('not of the form');
  const checksumAt = text.length - CHECKSUM_DIGITS;
  if (checksumOf(text.slice(0, checksumAt)) !== text.slice(checksumAt)) throw malformed('the checksum does not fit');
  return { id: idOf(text.slice(ID_AT, ID_AT + ID_DIGITS)), text: new Secret(text) };
}

/** 32 bytes, the only form in which a key is stored. */
export function macOf(key: ApiKey, pepper: Secret): Buffer {
  return createHmac('sha256', pepper.reveal()).update(key.text.reveal()).digest();
}

/**
 * The same work and the same answer whether the id is unknown (`stored` undefined) or the secret wrong; comparing takes the
 * same time wherever the first difference is.
 */
export function verifyApiKey(
  key: ApiKey,
  stored: StoredApiKey | undefined,
  options: { readonly pepper: Secret; readonly now: number },
): ApiKeyVerdict {
  const expected = stored === undefined || stored.mac.byteLength !== MAC_SIZE ? NO_MAC : stored.mac;
  const equal = timingSafeEqual(macOf(key, options.pepper), expected);
  if (!equal || stored === undefined) return 'unknown';
  if (stored.revokedAt !== undefined) return 'revoked';
  return stored.expiresAt !== undefined && stored.expiresAt <= options.now ? 'expired' : 'good';
}

function checksumOf(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return encodeBase32(bytes);
}

function base32Of(id: KeyId): string {
  return encodeBase32(Buffer.from(id.replaceAll('-', ''), 'hex'));
}

function idOf(digits: string): KeyId {
  const hex = decodeBase32(digits, 16)?.toString('hex');
  assert(hex !== undefined, 'the form leaves no digits that are none');
  return parseId<KeyId>(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), 'key');
}

function malformed(why: string): Error {
  return unauthenticated('api_key_malformed', { log: `API key: ${why}` });
}

/** What a scanner for leaked secrets looks for. */
const FORM = /^quasar_[0-7][0-9a-hjkmnp-tv-z]{25}_[0-9a-hjkmnp-tv-z]{32}[0-3][0-9a-hjkmnp-tv-z]{6}$/;
const SECRET_SIZE = 20;
const MAC_SIZE = 32;
const ID_AT = API_KEY_PREFIX.length;
const ID_DIGITS = 26;
const CHECKSUM_DIGITS = 7;
const NO_MAC = new Uint8Array(MAC_SIZE);
