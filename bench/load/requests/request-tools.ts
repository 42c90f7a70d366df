import type { Driver } from '../drivers/driver.ts';
import type { HttpConnection } from '../http/http-connection.ts';
import type { WireHead } from '../http/wire-head.ts';
import type { Content } from './content.ts';

/** What a request is performed with. */
export interface RequestTools {
  readonly driver: Driver;
  readonly content: Content;
  readonly wire: WireHead;
  readonly connection: HttpConnection;
  readonly turns: VerifyTurns;
}

/** Whose turn it is to be compared: every n-th read and every n-th upload of a worker, the first among them. */
export class VerifyTurns {
  readonly #every: number;
  #reads = 0;
  #uploads = 0;

  /** 0 for none. */
  constructor(every: number) {
    this.#every = every;
  }

  isReadVerified(): boolean {
    this.#reads += 1;
    return this.#every > 0 && (this.#reads - 1) % this.#every === 0;
  }

  isUploadVerified(): boolean {
    this.#uploads += 1;
    return this.#every > 0 && (this.#uploads - 1) % this.#every === 0;
  }
}

/** Within the body: at least one byte goes, and at least one is kept back. Undefined when there is nothing to cut. */
export function cutAfter(share: number | undefined, size: number): number | undefined {
  return share === undefined || size < 2 ? undefined : 1 + Math.floor(share * (size - 1));
}
