/**
 * Where a log's events without a leaf can be. Transactions get their numbers in the order in which they begin to write, and
 * end in any order: the highest number seen says nothing of the lower ones. So the place is a floor, and the transactions
 * below it that had not ended when it was set. One that is held open costs a look at its own events, and holds up no other.
 */
export interface SequencingProgress {
  /** Every event of a transaction below has its leaf, */
  readonly floor: bigint;
  /** but for these. */
  readonly open: readonly bigint[];
}

/** What a snapshot says of transactions, taken before the events were read: more of them may have ended since. */
export interface TransactionSnapshot {
  /** Those at or above had not begun. */
  readonly until: bigint;
  /** Below, and not ended. */
  readonly running: readonly bigint[];
}

/** Where the next batch has to look. `last` is the transaction of the last event taken when there may be further ones. */
export function progressAfter(
  { floor, open }: SequencingProgress,
  { until, running }: TransactionSnapshot,
  last: bigint | undefined,
): SequencingProgress {
  if (last === undefined) return { floor: until, open: running };
  if (last < floor) return { floor, open: open.filter((number) => number >= last || running.includes(number)) };
  return { floor: last, open: running.filter((number) => number < last) };
}
