import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';

/**
 * Cursors are sealed: clients cannot read where a page ends, which may be beside a document they may not know of, and one
 * that was forged, cut, or made for another list is refused. The purpose (`documents`, `versions:<id>`) does not travel; the
 * cursor opens under the one it was sealed for and no other.
 *
 * Sealing a position twice gives two texts: were they equal, whoever asks again could tell that something hidden has come or
 * gone at the end of the page. The length tells it only to `PADDED_TO` bytes.
 *
 * A cursor is salt, AES-256-GCM ciphertext, tag. Key and nonce are drawn from the secret by HKDF with the salt, so that their
 * number has no bound that matters, as random nonces under one key would have.
 */
export class Cursors {
  readonly #secret: string;
  readonly #clock: Clock;

  constructor(secret: string, clock: Clock) {
    this.#secret = secret;
    this.#clock = clock;
  }

  seal(purpose: string, position: string): string {
    const salt = this.#clock.random(SALT_SIZE);
    const { key, nonce } = this.#derive(salt);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(Buffer.from(purpose));
    const sealed = [cipher.update(pad(Buffer.from(position))), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat([salt, ...sealed]).toString('base64url');
  }

  /** @throws QuasarError `bad_parameter`. */
  open(purpose: string, cursor: string): string {
    const bytes = Buffer.from(cursor.slice(0, CURSOR_MAX), 'base64url');
    if (bytes.byteLength < SALT_SIZE + PADDED_TO + TAG_SIZE || bytes.toString('base64url') !== cursor) throw foreign();
    const { key, nonce } = this.#derive(bytes.subarray(0, SALT_SIZE));
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE })
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(-TAG_SIZE));
    const padded = decipher.update(bytes.subarray(SALT_SIZE, -TAG_SIZE));
    try {
      decipher.final();
    } catch (cause) {
      throw foreign(cause);
    }
    return padded.toString('utf8', 0, padded.lastIndexOf(PAD_MARK));
  }

  #derive(salt: Uint8Array): { key: Buffer; nonce: Buffer } {
    const bytes = Buffer.from(hkdfSync('sha256', this.#secret, salt, 'quasar cursor v2', KEY_SIZE + NONCE_SIZE));
    return { key: bytes.subarray(0, KEY_SIZE), nonce: bytes.subarray(KEY_SIZE) };
  }
}

/** A mark, then zeros: the last mark ends the position, whatever is in it. */
function pad(position: Buffer): Buffer {
  const padded = Buffer.alloc(Math.ceil((position.byteLength + 1) / PADDED_TO) * PADDED_TO);
  position.copy(padded);
  padded[position.byteLength] = PAD_MARK;
  return padded;
}

function foreign(cause?: unknown): QuasarError {
  return new QuasarError('bad_parameter', {
    op: 'http.cursor',
    message: 'The cursor is none that this list gave out.',
    details: { parameter: 'cursor' },
    cause,
  });
}

const CIPHER = 'aes-256-gcm';
const KEY_SIZE = 32;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const SALT_SIZE = 16;
/** Ids and times fill one such piece; names two or three. */
const PADDED_TO = 64;
const PAD_MARK = 0x80;
const CURSOR_MAX = 2048;
