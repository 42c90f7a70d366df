import type { Log } from '../core/log.ts';
import { isDiskError, isShortage } from '../segment/disk-fault.ts';
import { NotAFileError } from '../segment/not-a-file.ts';
import { ForeignFileError } from './foreign-file.ts';
import type { SegmentLedger } from './segment-ledger.ts';

/**
 * Segments that MANIFEST names and that cannot be read now: no file, no permission, a file that is too short or another one's. Only in
 * memory: an absence passes, and nothing is marked for it.
 */
export class MissingSegments {
  readonly #ledger: SegmentLedger;
  readonly #log: Log;
  readonly #reasons = new Map<number, string>();
  #description: string | undefined;

  constructor(ledger: SegmentLedger, log: Log) {
    this.#ledger = ledger;
    this.#log = log;
  }

  /** Idempotent; the log hears of each absence once. */
  add(segment: number, reason: string): void {
    if (!this.#reasons.has(segment) && !this.#ledger.isGivenUp(segment)) {
      this.#log.error({ segment, reason }, 'A segment cannot be read. Its blocks are unavailable until it is back.');
    }
    this.#reasons.set(segment, reason);
    this.#description = this.#describe();
  }

  remove(segment: number): void {
    if (!this.#reasons.delete(segment)) return;
    this.#description = this.#describe();
    this.#log.warn({ segment }, 'A segment that could not be read is back.');
  }

  has(segment: number): boolean {
    return this.#reasons.has(segment);
  }

  /** All, also those given up. Ascending. */
  get all(): readonly number[] {
    return [...this.#reasons.keys()].sort((left, right) => left - right);
  }

  /** Those the node waits for. Ascending. */
  get awaited(): readonly number[] {
    return this.#reasons.size === 0 ? [] : this.all.filter((segment) => !this.#ledger.isGivenUp(segment));
  }

  /** In words, for an operator; undefined when the node waits for none. */
  get description(): string | undefined {
    return this.#description;
  }

  #describe(): string | undefined {
    const { awaited } = this;
    const [first] = awaited;
    if (first === undefined) return undefined;
    const named = awaited.slice(0, NAMED_MAX).map((segment) => `${segment} (${this.#reasons.get(segment)})`);
    const more = awaited.length > NAMED_MAX ? ` and ${awaited.length - NAMED_MAX} more` : '';
    return `${awaited.length} of ${this.#ledger.segments.length} segments cannot be read: ${named.join(', ')}${more}.`;
  }
}

const NAMED_MAX = 5;

/** True when the file is not there as a whole; a sector that cannot be read is no absence. */
export function isAbsence(error: unknown): boolean {
  if (error instanceof ForeignFileError) return true;
  return isDiskError(error) && !isShortage(error) && (error as NodeJS.ErrnoException).code !== 'EIO';
}

/** True for what a start waits for. What we are short of says nothing of a file, and what is no file has to be moved away first. */
export function mayReturn(error: unknown): boolean {
  if (error instanceof ForeignFileError) return true;
  return isDiskError(error) && !isShortage(error) && !(error instanceof NotAFileError);
}

/** Why a segment's file cannot be read, in words. */
export function absenceOf(error: unknown): string {
  if (error instanceof ForeignFileError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'its file is missing';
  return code === undefined ? 'its file cannot be read' : `its file cannot be read: ${code}`;
}
