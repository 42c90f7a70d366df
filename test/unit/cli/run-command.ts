import { PassThrough, type Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
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
  readonly keyFile?: string;
  readonly interactive?: boolean;
  /** Standard output is a terminal. */
  readonly shown?: boolean;
}

/** Runs a command line in this process and gathers what it printed. */
export async function runCommand(line: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = new Sink();
  const stderr = new Sink();
  const waits: number[] = [];
  const signal = options.signal ?? new AbortController().signal;
  const around: Surroundings = {
    terminal: new Terminal({
      stdin: options.stdin ?? new PassThrough().end(),
      stdout,
      stderr,
      interactive: options.interactive ?? false,
      shown: options.shown ?? false,
      typed: false,
      columns: () => 100,
    }),
    environment: { url: options.url, keyFile: options.keyFile },
    clock: systemClock,
    signal,
    watchSignals: () => undefined,
    wait: async (ms) => {
      waits.push(ms);
      signal.throwIfAborted();
    },
  };
  const code = await runCommandLine(testTable, line, around);
  const out = await stdout.gathered();
  const err = (await stderr.gathered()).toString('utf8');
  return { code, stdout: out, stderr: err, waits, json: line.includes('--json') ? parseLines(out.toString('utf8')) : [] };
}

export const testTable = commandTable({ up: async () => 0, recover: async () => ({}) });

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Takes bytes as a file or a pipe does: it is done with them when it calls back. */
class Sink extends Writable {
  readonly #parts: Buffer[] = [];

  async gathered(): Promise<Buffer> {
    await finished(this.end());
    return Buffer.concat(this.#parts);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#parts.push(Buffer.from(chunk));
    setImmediate(done);
  }
}
