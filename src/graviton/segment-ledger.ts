import type { BlockId } from '../core/digest.ts';
import type { SegmentMark } from '../segment/record-header.ts';
import type { ManifestEntry, NumberedEntry } from '../segment/segment-manifest.ts';

export interface LedgerSegment {
  readonly segment: number;
  readonly salt: bigint;
  readonly mark: SegmentMark;
  readonly createdMs: number;
  /** Undefined while it is written, and when a crash kept it from being sealed. */
  readonly sealed: { readonly fileSize: number; readonly root: string } | undefined;
}

export interface DamageMark {
  readonly segment: number;
  readonly offset: number;
  readonly reason: string;
}

/** What the entries of MANIFEST amount to: the state of a node's segments, in memory. */
export class SegmentLedger {
  readonly #segments = new Map<number, LedgerSegment>();
  readonly #dropped = new Set<number>();
  readonly #suspects = new Map<number, string>();
  readonly #lost = new Set<number>();
  readonly #damage = new Map<BlockId, DamageMark[]>();
  #lastSegment = 0;
  #nodeSuspect: string | undefined;

  static of(entries: readonly NumberedEntry[]): SegmentLedger {
    const ledger = new SegmentLedger();
    for (const { entry, timeMs } of entries) ledger.apply(entry, timeMs);
    return ledger;
  }

  apply(entry: ManifestEntry, timeMs: number): void {
    if ('segment' in entry) this.#lastSegment = Math.max(this.#lastSegment, entry.segment);
    switch (entry.kind) {
      case 'create':
        this.#create(entry.segment, entry.salt, timeMs);
        break;
      case 'seal':
        this.#seal(entry);
        break;
      case 'replace':
        for (const segment of entry.replaced) this.#drop(segment);
        break;
      case 'drop':
        this.#drop(entry.segment);
        break;
      case 'suspect':
        if (entry.segment === NODE_ITSELF) this.#nodeSuspect ??= entry.reason;
        else this.#suspects.set(entry.segment, entry.reason);
        break;
      case 'damage':
        this.#damage.set(entry.id, [...(this.#damage.get(entry.id) ?? []), entry]);
        break;
      case 'accept':
        this.#nodeSuspect = undefined;
        break;
      case 'whole':
        this.#clear(entry.id, entry);
        break;
      case 'lost':
        this.#lost.add(entry.segment);
        break;
    }
  }

  /** Ascending. */
  get segments(): readonly LedgerSegment[] {
    return [...this.#segments.values()].sort((left, right) => left.segment - right.segment);
  }

  find(segment: number): LedgerSegment | undefined {
    return this.#segments.get(segment);
  }

  wasDropped(segment: number): boolean {
    return this.#dropped.has(segment);
  }

  /** The highest id ever used. */
  get lastSegment(): number {
    return this.#lastSegment;
  }

  /** Why the node takes no writes; undefined when it does. */
  get nodeSuspect(): string | undefined {
    return this.#nodeSuspect;
  }

  isSuspect(segment: number): boolean {
    return this.#suspects.has(segment);
  }

  /** An operator gave this segment up while its file was missing. */
  isGivenUp(segment: number): boolean {
    return this.#lost.has(segment);
  }

  /** How many blocks have marks, healed or not. */
  get markedCount(): number {
    return this.#damage.size;
  }

  /** Some record of the block has a mark. */
  hasMarks(id: BlockId): boolean {
    return this.#damage.has(id);
  }

  marksOf(id: BlockId): readonly DamageMark[] {
    return this.#damage.get(id) ?? [];
  }

  isDamaged(id: BlockId, place: { readonly segment: number; readonly offset: number }): boolean {
    const marks = this.#damage.get(id);
    return marks?.some((mark) => mark.segment === place.segment && mark.offset === place.offset) ?? false;
  }

  /** Every mark, healed or not. */
  *damage(): Generator<readonly [BlockId, DamageMark]> {
    for (const [id, marks] of this.#damage) for (const mark of marks) yield [id, mark];
  }

  #clear(id: BlockId, place: { readonly segment: number; readonly offset: number }): void {
    const left = this.marksOf(id).filter((mark) => mark.segment !== place.segment || mark.offset !== place.offset);
    if (left.length === 0) this.#damage.delete(id);
    else this.#damage.set(id, left);
  }

  #create(segment: number, salt: bigint, createdMs: number): void {
    const mark = { segment, saltBits: Number(salt & 0xffff_ffffn) };
    this.#segments.set(segment, { segment, salt, mark, createdMs, sealed: undefined });
  }

  #seal(entry: { readonly segment: number; readonly fileSize: number; readonly root: string }): void {
    const known = this.#segments.get(entry.segment);
    if (known === undefined) return;
    this.#segments.set(entry.segment, { ...known, sealed: { fileSize: entry.fileSize, root: entry.root } });
  }

  #drop(segment: number): void {
    this.#segments.delete(segment);
    this.#dropped.add(segment);
  }
}

/** The segment id that stands for the whole node in a `suspect` entry. */
export const NODE_ITSELF = 0;
