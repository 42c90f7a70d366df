import type { BlockId } from '../core/digest.ts';
import type { BlockIndex } from './block-index.ts';
import type { IndexEntry } from './index-entry.ts';
import type { BlockKind } from './node.ts';
import type { SegmentLedger } from './segment-ledger.ts';

/** The entry of a record that counts as stored: durable, not marked damaged, its segment known and not suspect. */
export function findHealthy(index: BlockIndex, ledger: SegmentLedger, id: BlockId): IndexEntry | undefined {
  const entry = index.find(id);
  if (entry === undefined || ledger.isSuspect(entry.segment) || ledger.find(entry.segment) === undefined) return undefined;
  return ledger.isDamaged(id, entry) ? undefined : entry;
}

/** Points the index at a record found in a segment, unless it knows a newer or a healthier one of the same id. */
export function adopt(index: BlockIndex, ledger: SegmentLedger, found: IndexEntry & { readonly id: BlockId }): void {
  const { id, ...entry } = found;
  const known = index.find(id);
  if (known !== undefined) {
    const knownDamaged = ledger.isDamaged(id, known);
    const damaged = ledger.isDamaged(id, entry);
    if (damaged && !knownDamaged) return;
    if (damaged === knownDamaged && known.sequence >= entry.sequence) return;
  }
  index.set(id, entry);
}

/** The kinds that hold content under its own id; the others are marks of the format. */
export function isBlockKind(kind: string): kind is BlockKind {
  return kind === 'data' || kind === 'manifest' || kind === 'piece';
}
