/** Waits of background work, one at a time, that its end cuts short. They keep no process alive. */
export class BreakablePause {
  #broken = false;
  #end: () => void = () => undefined;

  get broken(): boolean {
    return this.#broken;
  }

  /** Resolves after `ms`, or as soon as the pause is broken. */
  rest(ms: number): Promise<void> {
    if (this.#broken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, TIMER_MAX_MS)).unref();
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** For good. Idempotent. */
  break(): void {
    this.#broken = true;
    this.#end();
  }
}

/** Node's timers fire at once beyond 2^31 ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;
