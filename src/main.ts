#!/usr/bin/env node
import { commandTable } from './cli/command-table.ts';
import { processSurroundings } from './cli/process-surroundings.ts';
import { runCommandLine } from './cli/run-command-line.ts';

/** A server whose parts are closed has nothing left to do: whatever still keeps its process must not keep a supervisor waiting. */
const EXIT_MS = 3000;

let served = false;
const serving =
  <Args extends unknown[], Result>(run: (...args: Args) => Promise<Result>) =>
  (...args: Args) => {
    served = true;
    return run(...args);
  };
const commands = commandTable({
  up: serving(async (flags) => (await import('./roles/all-in-one.ts')).runUp(flags)),
  recover: serving(async (flags, keep) => (await import('./roles/recover-access.ts')).recoverAccess(flags, keep)),
});

process.exitCode = await runCommandLine(commands, process.argv.slice(2), processSurroundings());
if (served) setTimeout(() => process.exit(), EXIT_MS).unref();
