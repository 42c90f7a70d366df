#!/usr/bin/env node
import { commandTable } from './cli/command-table.ts';
import { processSurroundings } from './cli/process-surroundings.ts';
import { runCommandLine } from './cli/run-command-line.ts';

const commands = commandTable({
  up: async (flags) => (await import('./roles/all-in-one.ts')).runUp(flags),
  recover: async (flags, keep) => (await import('./roles/recover-access.ts')).recoverAccess(flags, keep),
});

process.exitCode = await runCommandLine(commands, process.argv.slice(2), processSurroundings());
