import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Where a command reads and writes. Results go to stdout, everything about them to stderr. */
export class Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** True when stderr is a terminal whose lines can be redrawn. */
  readonly interactive: boolean;
  /** True when stdin is a terminal: someone would have to type the bytes. */
  readonly typed: boolean;
  /** True when stdout is a terminal: what is written there commands it. */
  readonly shown: boolean;
  readonly #columns: () => number;

  constructor(options: TerminalOptions) {
    this.stdin = options.stdin;
    this.stdout = options.stdout;
    this.stderr = options.stderr;
    this.interactive = options.interactive;
    this.typed = options.typed;
    this.shown = options.shown ?? false;
    this.#columns = options.columns;
  }

  get columns(): number {
    return this.#columns();
  }

  /** One line of result. Waits while the reader is behind. */
  async print(line: string): Promise<void> {
    if (!this.stdout.write(`${line}\n`)) await once(this.stdout, 'drain');
  }

  /** Resolves when nothing that was printed is on its way any more; a failure is told by the stream. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => this.stdout.write('', () => setImmediate(resolve)));
  }

  printJson(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value));
  }

  /** One line for the person at the terminal. */
  note(line: string): void {
    this.stderr.write(`${line}\n`);
  }
}

export interface TerminalOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly interactive: boolean;
  readonly typed: boolean;
  readonly shown?: boolean;
  /** Asked at every drawing: a window may be resized. */
  readonly columns: () => number;
}

// Controls, line separators, and marks that turn the direction of text: a file name must not repaint a terminal.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text from elsewhere, safe to print: what could command a terminal is shown by its code. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}
