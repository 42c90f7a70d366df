import type { Clock } from '../core/clock.ts';

/**
 * Resolves with the first SIGTERM or SIGINT. Another one a while later ends the process at once, as impatient operators
 * expect. One that follows closely is the same wish: a terminal and npm both pass a Ctrl-C on.
 */
export function waitForStopSignal(clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const stop = (signal: NodeJS.Signals) => {
      const now = clock.monotonic();
      firstMs ??= now;
      resolve(signal);
      if (now === firstMs || now - firstMs < SAME_WISH_MS) return;
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      process.kill(process.pid, signal);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

const SAME_WISH_MS = 1000;
