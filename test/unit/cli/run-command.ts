import { PassThrough, type Readable } from 'node:stream';
import { commandTable } from '../../../src/cli/command-table.ts';
import { runCommandLine, type Surroundings } from '../../../src/cli/run-command-line.ts';
import { Terminal } from '../../../src/cli/terminal.ts';
import { systemClock } from '../../../src/core/clock.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** How long the command asked to wait, in order; the waits themselves take no time. */
  readonly waits: readonly number[];
  /** stdout as NDJSON. */
  readonly json: readonly Record<string, unknown>[];
}

export interface RunOptions {
  readonly stdin?: Readable;
  readonly signal?: AbortSignal;
  readonly url?: string;
  readonly interactive?: boolean;
}

/** Runs a command line in this process and gathers what it printed. */
export async function runCommand(line: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const gathered = [gather(stdout), gather(stderr)] as const;
  const waits: number[] = [];
  const signal = options.signal ?? new AbortController().signal;
  const around: Surroundings = {
    terminal: new Terminal({
      stdin: options.stdin ?? new PassThrough().end(),
      stdout,
      stderr,
      interactive: options.interactive ?? false,
      typed: false,
      columns: () => 100,
    }),
    environment: { url: options.url },
    clock: systemClock,
    signal,
    watchSignals: () => undefined,
    wait: async (ms) => {
      waits.push(ms);
      signal.throwIfAborted();
    },
  };
  const code = await runCommandLine(testTable, line, around);
  stdout.end();
  stderr.end();
  const out = await gathered[0];
  const err = (await gathered[1]).toString('utf8');
  return { code, stdout: out, stderr: err, waits, json: line.includes('--json') ? parseLines(out.toString('utf8')) : [] };
}

export const testTable = commandTable({ up: async () => 0 });

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function gather(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}
