import { createHmac, timingSafeEqual } from 'node:crypto';
import { QuasarError } from '../core/errors.ts';

/**
 * Cursors are opaque to clients and signed: one that was forged, cut, or made for another list is refused. The purpose
 * (`documents`, `versions:<id>`) is bound into the signature and does not travel.
 */
export class Cursors {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  sign(purpose: string, position: string): string {
    const bytes = Buffer.from(position);
    return Buffer.concat([this.#signature(purpose, bytes), bytes]).toString('base64url');
  }

  /** @throws QuasarError `bad_parameter`. */
  open(purpose: string, cursor: string): string {
    const bytes = Buffer.from(cursor.slice(0, CURSOR_MAX), 'base64url');
    const position = bytes.subarray(SIGNATURE_SIZE);
    const given = bytes.subarray(0, SIGNATURE_SIZE);
    if (given.length < SIGNATURE_SIZE || !timingSafeEqual(given, this.#signature(purpose, position))) {
      throw new QuasarError('bad_parameter', {
        op: 'http.cursor',
        message: 'The cursor is none that this list gave out.',
        details: { parameter: 'cursor' },
      });
    }
    return position.toString();
  }

  #signature(purpose: string, position: Uint8Array): Buffer {
    const mac = createHmac('sha256', this.#secret).update(`${purpose.length}:${purpose}:`).update(position).digest();
    return mac.subarray(0, SIGNATURE_SIZE);
  }
}

const SIGNATURE_SIZE = 16;
const CURSOR_MAX = 1024;
