import type { Clock } from '../core/clock.ts';
import type { BlockId } from '../core/digest.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { BlockIndex } from './block-index.ts';
import type { NodeJournal } from './node-journal.ts';

/** One record among the copies of its block. */
export interface RecordPlace {
  readonly id: BlockId;
  readonly segment: number;
  /** Of its header. */
  readonly offset: number;
}

export interface DamageMarksOptions {
  readonly index: BlockIndex;
  readonly journal: NodeJournal;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
}

/**
 * The marks of damaged records in MANIFEST, and what they amount to, kept as they change: asking costs a look into a
 * set, however many marks there are.
 *
 * A mark is a claim until this process has judged the record by its bytes; only then does it condemn, and only for a
 * minute: the file may have been restored from a copy.
 */
export class DamageMarks {
  readonly #options: DamageMarksOptions;
  /** Blocks whose record, as the index has it, is marked; also those that have marks and no record any more. */
  readonly #hit = new Set<BlockId>();
  /** Places judged in this process, with the time after which they are judged again. */
  readonly #judged = new Map<string, number>();
  /** By the record's place. */
  readonly #marking = new Map<string, Promise<void>>();

  /** Goes through all marks, once. */
  constructor(options: DamageMarksOptions) {
    this.#options = options;
    for (const [id] of options.journal.ledger.damage()) this.refresh(id);
    options.index.watch((id) => this.refresh(id));
  }

  /** Blocks whose record is marked and that no healthy copy has replaced. */
  get count(): number {
    return this.#hit.size;
  }

  isHit(id: BlockId): boolean {
    return this.#hit.has(id);
  }

  isMarked({ id, segment, offset }: RecordPlace): boolean {
    return this.#options.journal.ledger.isDamaged(id, { segment, offset });
  }

  /** The record was found damaged by this process within the last minute. */
  isCondemned(place: RecordPlace): boolean {
    return (this.#judged.get(keyOf(place)) ?? 0) > this.#options.clock.monotonic() && this.isMarked(place);
  }

  /** Marks the record at this place, durably, whether the index points there or at another copy. Idempotent. */
  async mark(place: RecordPlace, reason: string): Promise<void> {
    const key = keyOf(place);
    this.#judged.set(key, this.#options.clock.monotonic() + limits.damageJudgedMs);
    if (this.isMarked(place)) return;
    let marking = this.#marking.get(key);
    if (marking === undefined) {
      const { id, segment, offset } = place;
      this.#options.log.error(
        { block: id, segment, offset, reason },
        'A stored record is damaged. It is marked and no longer read.',
      );
      marking = this.#record(place, reason).finally(() => this.#marking.delete(key));
      this.#marking.set(key, marking);
    }
    await marking;
  }

  /** Withdraws the mark of a record that turned out whole, durably. */
  async clear(place: RecordPlace): Promise<void> {
    this.#judged.delete(keyOf(place));
    if (!this.isMarked(place)) return;
    const { id, segment, offset } = place;
    this.#options.log.warn({ block: id, segment, offset }, 'A record that was marked damaged is whole. Its mark is withdrawn.');
    await this.#options.journal.record({ kind: 'whole', id, segment, offset });
    this.refresh(id);
  }

  /** After any change of the block's marks or of its place in the index. */
  refresh(id: BlockId): void {
    const { index, journal } = this.#options;
    if (!journal.ledger.hasMarks(id)) {
      this.#hit.delete(id);
      return;
    }
    const entry = index.find(id);
    if (entry === undefined || journal.ledger.isDamaged(id, entry)) this.#hit.add(id);
    else this.#hit.delete(id);
  }

  async #record({ id, segment, offset }: RecordPlace, reason: string): Promise<void> {
    await this.#options.journal.record({ kind: 'damage', id, segment, offset, reason });
    this.refresh(id);
  }
}

function keyOf({ segment, offset }: RecordPlace): string {
  return `${segment}:${offset}`;
}
