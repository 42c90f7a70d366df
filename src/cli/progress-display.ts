import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import { progressLine, RateMeter } from './progress.ts';
import { printable, type Terminal } from './terminal.ts';
import { formatCount } from './units.ts';

const LINES_MAX = 16;

/**
 * Keeps a block of lines at the foot of the terminal: one per running transfer and, when there are several, one for all.
 * Not on a terminal it draws nothing. Whatever else is printed meanwhile goes through `above`.
 */
export class ProgressDisplay {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #transfers = new Set<Transfer>();
  readonly #meter = new RateMeter();
  readonly #timer: NodeJS.Timeout | undefined;
  #finishedFiles = 0;
  #finishedBytes = 0;
  #expected: { readonly files: number; readonly bytes: number } | undefined;
  #drawn = 0;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
    if (terminal.interactive) {
      this.#timer = setInterval(() => this.draw(), limits.progressIntervalMs);
      this.#timer.unref();
    }
  }

  begin(name: string, size: number | undefined): Transfer {
    const transfer = new Transfer(name, size, (ended) => {
      this.#transfers.delete(ended);
      this.#finishedFiles += 1;
      this.#finishedBytes += ended.done;
    });
    this.#transfers.add(transfer);
    return transfer;
  }

  /** How much there will be, as soon as that is known. */
  expect(files: number, bytes: number): void {
    this.#expected = { files, bytes };
  }

  /** Prints something else without disturbing the block. */
  async above(print: () => void | Promise<void>): Promise<void> {
    this.#erase();
    await print();
  }

  draw(): void {
    if (!this.#terminal.interactive) return;
    const lines = this.lines(this.#clock.monotonic(), this.#terminal.columns - 1);
    this.#erase();
    if (lines.length > 0) this.#terminal.stderr.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** What the block says now. */
  lines(nowMs: number, columns: number): string[] {
    const running = [...this.#transfers];
    let total = this.#finishedBytes;
    for (const transfer of running) total += transfer.done;
    this.#meter.sample(nowMs, total);
    const lines = running.slice(0, LINES_MAX).map((transfer) => transfer.line(nowMs, columns));
    if (running.length > LINES_MAX) lines.push(`… and ${running.length - LINES_MAX} more`);
    if (this.#finishedFiles + running.length > 1) lines.push(this.#totalLine(nowMs, total, columns));
    return lines;
  }

  /** Takes the block away. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #totalLine(nowMs: number, done: number, columns: number): string {
    const files = this.#expected === undefined ? '' : ` of ${formatCount(this.#expected.files)}`;
    const name = `${formatCount(this.#finishedFiles)}${files} files`;
    return progressLine({ name, done, size: this.#expected?.bytes, rate: this.#meter.rate(nowMs, done) }, columns);
  }

  #erase(): void {
    // Up to the block's first line, then clear to the end of the screen.
    if (this.#drawn > 0) this.#terminal.stderr.write(`\u001b[${this.#drawn}A\u001b[J`);
    this.#drawn = 0;
  }
}

/** One running file. */
export class Transfer {
  readonly #name: string;
  readonly #size: number | undefined;
  readonly #onEnd: (transfer: Transfer) => void;
  readonly #meter = new RateMeter();
  #done = 0;

  constructor(name: string, size: number | undefined, onEnd: (transfer: Transfer) => void) {
    this.#name = printable(name);
    this.#size = size;
    this.#onEnd = onEnd;
  }

  get done(): number {
    return this.#done;
  }

  /** Bytes so far; may go back after a broken connection. */
  reach(done: number): void {
    this.#done = done;
  }

  end(): void {
    this.#onEnd(this);
  }

  line(nowMs: number, columns: number): string {
    this.#meter.sample(nowMs, this.#done);
    return progressLine(
      { name: this.#name, done: this.#done, size: this.#size, rate: this.#meter.rate(nowMs, this.#done) },
      columns,
    );
  }
}
