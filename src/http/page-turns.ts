import { QuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { WaitingLine } from '../core/waiting-line.ts';

/**
 * Large pages are made a few at a time, and callers take turns: whoever asks for a hundred of them at once waits for its own,
 * and nobody else does.
 */
export class PageTurns {
  readonly #line = new WaitingLine<() => void>({
    open: limits.largePagesWaitingMax,
    kept: limits.largePagesWaitingKept,
    few: limits.largePagesWaitingFew,
  });
  #running = 0;

  /** @throws QuasarError `rate_limited` when too many wait already; nothing was done then. */
  async run(asker: Scope, work: () => void | Promise<void>): Promise<void> {
    if (this.#running < limits.largePagesMax) this.#running += 1;
    else await this.#turnOf(asker);
    try {
      await work();
    } finally {
      this.#passOn();
    }
  }

  #turnOf(asker: Scope): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.#line.put(asker, resolve);
      if (refusal === undefined) return;
      const details = { limit: 'large_pages', share: refusal, retryAfterMs: limits.retryAfterSeconds * 1000 };
      reject(new QuasarError('rate_limited', { op: 'http.takeTurn', message: MESSAGE, details }));
    });
  }

  #passOn(): void {
    const next = this.#line.take(() => true);
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

/** Whether the query asks for more than pages have by themselves. */
export function asksForLargePage(query: string): boolean {
  const [, limit] = LIMIT.exec(query) ?? [];
  return limit !== undefined && Number(limit) > limits.pageSizeDefault;
}

const LIMIT = /(?:^|&)limit=(\d+)/;
const MESSAGE = `Too many pages of more than ${limits.pageSizeDefault} items are being made. Ask for smaller ones, or for fewer at once.`;
