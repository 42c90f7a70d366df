import { type BlockId, DIGEST_SIZE } from '../core/digest.ts';
import { encodeIndexEntry, INDEX_ENTRY_SIZE, type IndexEntry } from './index-entry.ts';

/** What the index and the thread that writes it tell each other. */
export interface IndexWrite {
  /** `INDEX_ITEM_SIZE` bytes an item: its id, then its entry; bytes that are no entry where it goes. In no order. */
  readonly items: Uint8Array<ArrayBuffer>;
  /** What the index says about itself, durable no earlier than the items. */
  readonly state: string;
}

/** To the thread, which ends after the writes before it. */
export const END = 'end';

/** Of the oldest write that has no answer. Undefined: it is durable. */
export type IndexAnswer = IndexWriteFailure | undefined;

/** An error loses its `code` between threads. */
export interface IndexWriteFailure {
  readonly message: string;
  readonly code: string | number | undefined;
}

export const INDEX_ITEM_SIZE = DIGEST_SIZE + INDEX_ENTRY_SIZE;

export function putItem(into: Buffer, at: number, id: BlockId, entry: IndexEntry | undefined): void {
  into.write(id, at, 'hex');
  if (entry === undefined) into.fill(REMOVED, at + DIGEST_SIZE, at + INDEX_ITEM_SIZE);
  else encodeIndexEntry(entry, into, at + DIGEST_SIZE);
}

/** Decodes to no entry. */
const REMOVED = 0xff;
