import { systemClock } from '../../../src/core/clock.ts';
import { ConnectionFault } from '../http/connection-fault.ts';
import type { HttpConnection } from '../http/http-connection.ts';

const LOOK_MS = 250;

/** Breaks requests in which nothing moved for too long. One timer for all costs less than one for each. */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(connections: readonly HttpConnection[], timeoutMs: number) {
    this.#timer = setInterval(() => {
      const latest = systemClock.monotonic() - timeoutMs;
      for (const connection of connections) {
        const { silentSince } = connection;
        if (silentSince !== undefined && silentSince < latest)
          connection.break(new ConnectionFault('timeout', `nothing moved for ${timeoutMs} ms`));
      }
    }, LOOK_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
