import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { readClientEnvironment } from '../config/client-environment.ts';
import { systemClock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { fileFault } from './file-fault.ts';
import type { Surroundings } from './run-command-line.ts';
import { standardInput } from './standard-input.ts';
import { Terminal } from './terminal.ts';

/** The surroundings of a command that runs as this process. */
export function processSurroundings(): Surroundings {
  const environment = readClientEnvironment();
  const stop = new AbortController();
  // Every request in flight listens; how many there are is bounded where they are made.
  setMaxListeners(0, stop.signal);
  const cancel = (message: string, details = {}) => stop.abort(new QuasarError('cancelled', { op: 'cli.run', message, details }));
  // `quasar get … | head` closes our output early; that ends the work and is no bug. A full disk is told.
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') cancel('Nobody reads the output any more.', { quiet: true });
    else stop.abort(fileFault(cause, 'written', 'standard output'));
  });
  // A message that a full disk did not take is lost; the work it was about goes on.
  process.stderr.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') cancel('Nobody reads the messages any more.', { quiet: true });
  });
  return {
    terminal: new Terminal({
      stdin: standardInput(),
      stdout: process.stdout,
      stderr: process.stderr,
      interactive: process.stderr.isTTY === true && !environment.dumbTerminal,
      typed: process.stdin.isTTY === true,
      shown: process.stdout.isTTY === true,
      columns: () => process.stderr.columns ?? 80,
    }),
    environment,
    clock: systemClock,
    signal: stop.signal,
    // Only the first of each is ours: a second Ctrl-C ends the process at once.
    watchSignals: () => {
      process.once('SIGINT', () => cancel('Interrupted.'));
      process.once('SIGTERM', () => cancel('Asked to stop.'));
    },
    wait,
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (cause) {
    throw signal.aborted ? signal.reason : cause;
  }
}
