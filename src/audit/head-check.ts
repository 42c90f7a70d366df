import { limits } from '../core/limits.ts';
import type { Findings } from './finding.ts';
import { equalHashes, type TreeHash, treeHashToBase64 } from './merkle-hash.ts';
import { TreeFrontier } from './merkle-tree.ts';

/** What a trusted key signed about a log. */
export interface SignedHead {
  readonly size: number;
  readonly root: TreeHash;
  /** When it says it was signed. */
  readonly time: string;
  /** For people: "the checkpoint in line 7". */
  readonly source: string;
}

interface Mismatch {
  readonly head: SignedHead;
  /** The tree at the last head that did match, and the leaves from there on when they are few. */
  readonly before: TreeFrontier;
  readonly leaves: readonly TreeHash[] | undefined;
}

/**
 * Compares leaves that come one by one with signed heads of any size: each head must be the root over exactly the leaves
 * before its size. A head that does not fit, followed by one that fits and is no smaller, contradicts it: the log's key has
 * signed two histories. Otherwise the leaves since the last head that did fit are not what was signed.
 */
export class HeadCheck {
  readonly #findings: Findings;
  readonly #pending = new Map<number, SignedHead[]>();
  readonly #frontier = TreeFrontier.empty();
  /** Number of the next leaf; more than the frontier's size behind a gap, and then no root can be compared any more. */
  #next = 0;
  #before = TreeFrontier.empty();
  #leaves: TreeHash[] | undefined = [];
  #mismatch: Mismatch | undefined;
  #heads = 0;
  /** The last head that fits. */
  #fit: SignedHead | undefined;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Number the next leaf has to have. */
  get next(): number {
    return this.#next;
  }

  /** The largest head that fits. */
  get fit(): SignedHead | undefined {
    return this.#fit;
  }

  root(): TreeHash {
    return this.#frontier.root();
  }

  /** False when the leaves it covers have gone by. */
  expect(head: SignedHead): boolean {
    if (head.size < this.#next) return false;
    this.#heads += 1;
    this.#pending.set(head.size, [...(this.#pending.get(head.size) ?? []), head]);
    if (head.size === this.#next) this.#settle();
    return true;
  }

  append(leafHash: TreeHash): void {
    this.#frontier.append(leafHash);
    this.#next += 1;
    if (this.#leaves !== undefined && this.#leaves.push(leafHash) > limits.auditPairSearchMax) this.#leaves = undefined;
    this.#settle();
  }

  /** Leaves up to this number are missing. */
  skipTo(leaf: number): void {
    this.#next = leaf;
  }

  finish(): void {
    const largest = [...this.#pending.keys()].reduce((left, right) => Math.max(left, right), 0);
    if (largest > this.#next) this.#reportDeletedTail(largest);
    if (this.#mismatch !== undefined) this.#reportMismatch(this.#mismatch);
    if (this.#heads === 0)
      this.#findings.add({ kind: 'no-checkpoint', meaning: 'No trusted signature says anything about these events.' });
  }

  #settle(): void {
    const heads = this.#pending.get(this.#next);
    if (heads === undefined) return;
    this.#pending.delete(this.#next);
    if (this.#frontier.size !== this.#next) return;
    const root = this.#frontier.root();
    for (const head of heads) {
      if (equalHashes(head.root, root)) this.#takeFit(head);
      else this.#takeMismatch(head);
    }
  }

  #takeFit(head: SignedHead): void {
    if (this.#mismatch !== undefined) this.#reportFork(this.#mismatch.head, head);
    this.#mismatch = undefined;
    this.#fit = head;
    this.#before = this.#frontier.copy();
    this.#leaves = [];
  }

  #takeMismatch(head: SignedHead): void {
    const other = this.#mismatch?.head;
    if (this.#fit?.size === head.size) this.#reportFork(head, this.#fit);
    else if (other === undefined) this.#mismatch = { head, before: this.#before, leaves: this.#leaves && [...this.#leaves] };
    else if (other.size === head.size && !equalHashes(other.root, head.root)) this.#reportFork(other, head);
  }

  #reportFork(one: SignedHead, other: SignedHead): void {
    this.#findings.add({
      kind: 'forked-log',
      leaf: one.size,
      meaning: `The log has signed two histories: ${tell(one)} is no beginning of ${tell(other)}.`,
    });
  }

  #reportMismatch({ head, before, leaves }: Mismatch): void {
    const pair = leaves === undefined ? undefined : reorderedPair(before, leaves, head.root);
    if (pair === undefined) {
      const range = head.size - before.size === 1 ? `Event ${before.size} is` : `Events ${before.size} to ${head.size - 1} are`;
      const meaning = `${range} not what was signed: their root is not that of ${tell(head)}.`;
      this.#findings.add({ kind: 'root-mismatch', leaf: before.size, end: head.size, meaning });
    } else if (!this.#findings.has('reordered-pair', pair[0])) {
      const meaning = `Events ${pair[0]} and ${pair[1]} have changed places: the other way round they are what was signed.`;
      this.#findings.add({ kind: 'reordered-pair', leaf: pair[0], end: pair[1], meaning });
    }
  }

  #reportDeletedTail(size: number): void {
    const [head] = this.#pending.get(size) as [SignedHead];
    const meaning = `The log ends with ${this.#next} events, and ${tell(head)} covers ${size}: the last ${size - this.#next} are missing.`;
    this.#findings.add({ kind: 'deleted-tail', leaf: this.#next, end: size, meaning });
  }
}

function tell({ size, root, source }: SignedHead): string {
  return `${source} (${size} events, root ${treeHashToBase64(root)})`;
}

/** The two leaves which, the other way round, give the signed root. Tries all pairs, so the caller bounds the leaves. */
function reorderedPair(before: TreeFrontier, leaves: readonly TreeHash[], root: TreeHash): [number, number] | undefined {
  for (let left = 0; left < leaves.length; left++) {
    for (let right = left + 1; right < leaves.length; right++) {
      const frontier = before.copy();
      const swapped = leaves.with(left, leaves[right] as TreeHash).with(right, leaves[left] as TreeHash);
      for (const leaf of swapped) frontier.append(leaf);
      if (equalHashes(frontier.root(), root)) return [before.size + left, before.size + right];
    }
  }
  return undefined;
}
