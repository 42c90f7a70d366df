import { createHmac, timingSafeEqual } from 'node:crypto';
import { QuasarError } from '../core/errors.ts';

/**
 * Page positions as clients see them: opaque, and bound by an HMAC to the list they belong to, so that a position can be
 * neither forged nor used on another list.
 */
export class Cursors {
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** `purpose` names the list, with its parameters: `versions:<documentId>`. */
  sign(purpose: string, position: string): string {
    return Buffer.concat([this.#tag(purpose, position), Buffer.from(position)]).toString('base64url');
  }

  /** @throws QuasarError `bad_parameter` for a cursor we did not make for this list. */
  open(purpose: string, cursor: string): string {
    const bytes = Buffer.from(cursor, 'base64url');
    const position = bytes.subarray(TAG_SIZE).toString('utf8');
    const valid =
      bytes.byteLength > TAG_SIZE &&
      bytes.toString('base64url') === cursor &&
      timingSafeEqual(bytes.subarray(0, TAG_SIZE), this.#tag(purpose, position));
    if (!valid) {
      throw new QuasarError('bad_parameter', {
        op: 'http.openCursor',
        message: 'The cursor is not one of this list.',
        details: { parameter: 'cursor' },
      });
    }
    return position;
  }

  #tag(purpose: string, position: string): Buffer {
    return createHmac('sha256', this.#secret).update(purpose).update('\0').update(position).digest().subarray(0, TAG_SIZE);
  }
}

/** 128 bits: nobody guesses them, and cursors stay short. */
const TAG_SIZE = 16;
