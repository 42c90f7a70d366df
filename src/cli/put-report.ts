import type { QuasarError } from '../core/errors.ts';
import { exitCodeOf } from './exit-code.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { describe, errorView } from './run-command-line.ts';
import { printable, type Terminal } from './terminal.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './units.ts';
import type { StoredDocument } from './upload-client.ts';

/** Says what became of each file, and of all together at the end. */
export class PutReport {
  readonly #terminal: Terminal;
  readonly #display: ProgressDisplay;
  readonly #json: boolean;
  readonly #durabilities = new Set<string>();
  #stored = 0;
  #known = 0;
  #failed = 0;
  #skipped = 0;
  #bytes = 0;
  #worst = 0;

  constructor(terminal: Terminal, display: ProgressDisplay, json: boolean) {
    this.#terminal = terminal;
    this.#display = display;
    this.#json = json;
  }

  /** The highest code of any file. */
  get exitCode(): number {
    return this.#worst;
  }

  get storedCount(): number {
    return this.#stored + this.#known;
  }

  async stored(file: string, document: StoredDocument, ms: number): Promise<void> {
    if (document.fresh) {
      this.#stored += 1;
      this.#bytes += document.size;
    } else this.#known += 1;
    if (document.durability !== '') this.#durabilities.add(document.durability);
    const { documentId, versionId, key, sha256, size, durability, fresh } = document;
    await this.#display.above(() => {
      if (this.#json)
        return this.#terminal.printJson({
          file,
          documentId,
          versionId,
          key,
          sha256,
          size,
          durability,
          fresh,
          ms: Math.round(ms),
        });
      const word = fresh ? 'stored ' : 'present';
      return this.#terminal.print(`${word}  ${documentId}  ${key}  ${formatBytes(size)}  ${printable(file)}`);
    });
  }

  async failed(file: string, failure: QuasarError): Promise<void> {
    this.#failed += 1;
    this.#worst = Math.max(this.#worst, exitCodeOf(failure));
    await this.#display.above(() => {
      if (this.#json) return this.#terminal.printJson({ file, error: errorView(failure) });
      this.#terminal.note(`quasar: ${printable(file)}: ${describe(failure)}`);
    });
  }

  async skipped(path: string, reason: string): Promise<void> {
    this.#skipped += 1;
    await this.#display.above(() => this.#terminal.note(`skipped  ${printable(path)}: ${reason}`));
  }

  async retrying(file: string, failure: QuasarError, waitMs: number): Promise<void> {
    await this.#display.above(() =>
      this.#terminal.note(`quasar: ${printable(file)}: ${describe(failure)} Trying again in ${formatDuration(waitMs)}.`),
    );
  }

  async resuming(file: string, offset: number): Promise<void> {
    await this.#display.above(() =>
      this.#terminal.note(`quasar: ${printable(file)}: the server holds ${formatCount(offset)} bytes; continuing there`),
    );
  }

  /** The last line, on stderr. */
  summary(ms: number): void {
    const counts = [`${files(this.#stored)} stored`];
    if (this.#known > 0) counts.push(`${formatCount(this.#known)} already present`);
    if (this.#skipped > 0) counts.push(`${formatCount(this.#skipped)} skipped`);
    if (this.#failed > 0) counts.push(`${formatCount(this.#failed)} failed`);
    const rate = ms > 0 ? ` (${formatRate((this.#bytes / ms) * 1000)})` : '';
    const durable = this.#durabilities.size === 0 ? '' : `, durable: ${[...this.#durabilities].sort().join(' and ')}`;
    this.#terminal.note(`${counts.join(', ')}; ${formatBytes(this.#bytes)} in ${formatDuration(ms)}${rate}${durable}`);
  }
}

function files(count: number): string {
  return `${formatCount(count)} file${count === 1 ? '' : 's'}`;
}
