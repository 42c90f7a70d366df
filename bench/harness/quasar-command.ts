import { systemClock } from '../../src/core/clock.ts';
import { runChild } from './children.ts';
import { cpuSecondsOfEnded } from './process-tree.ts';
import { type QuasarServer, quasarProgram } from './quasar-server.ts';

const PUT_LIMIT_MS = 600_000;

/** Runs `quasar put` as an operator does, from the start of the command to its end. Throws when a file was not stored. */
export async function runPut(
  { url, keyFile }: QuasarServer,
  args: readonly string[],
): Promise<{ readonly seconds: number; readonly clientCpuSeconds: number }> {
  const cpuBefore = cpuSecondsOfEnded();
  const began = systemClock.monotonic();
  await runChild(process.execPath, [quasarProgram, 'put', ...args, '--url', url, '--key-file', keyFile], '', PUT_LIMIT_MS);
  const seconds = (systemClock.monotonic() - began) / 1000;
  return { seconds, clientCpuSeconds: cpuSecondsOfEnded() - cpuBefore };
}
