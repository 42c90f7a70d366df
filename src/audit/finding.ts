import { limits } from '../core/limits.ts';

/** What is wrong with an exported log; docs/format/audit-v1.md section 9 explains each. */
export const findingKinds = [
  'bad-line',
  'gap',
  'repeat',
  'not-canonical',
  'not-an-event',
  'edited-event',
  'reordered-pair',
  'foreign',
  'bad-checkpoint',
  'bad-signature',
  'misplaced-checkpoint',
  'root-mismatch',
  'forked-log',
  'deleted-tail',
  'no-checkpoint',
  'unsigned-tail',
] as const;

export type FindingKind = (typeof findingKinds)[number];

/** What says that something is not proved, where the others say that something is wrong. */
export const unprovenKinds: readonly FindingKind[] = ['no-checkpoint', 'unsigned-tail'];

export interface Finding {
  readonly kind: FindingKind;
  /** Line of the export, from 1. */
  readonly line?: number;
  /** The leaf it is about, or the first one. */
  readonly leaf?: number;
  /** Of several leaves, the one behind the last; of a reordered pair, the other leaf. */
  readonly end?: number;
  /** A sentence for people. */
  readonly meaning: string;
}

/** Keeps the first ones and counts the rest: a log of which every line is bad fills no memory. */
export class Findings {
  readonly #list: Finding[] = [];
  #count = 0;

  add(finding: Finding): void {
    this.#count += 1;
    if (this.#list.length < limits.auditFindingsMax) this.#list.push(finding);
  }

  /** A later line may explain an earlier one better. */
  replace(kind: FindingKind, leaf: number, by: Finding): void {
    const index = this.#list.findIndex((finding) => finding.kind === kind && finding.leaf === leaf);
    if (index >= 0) this.#list[index] = by;
  }

  has(kind: FindingKind, leaf: number): boolean {
    return this.#list.some((finding) => finding.kind === kind && finding.leaf === leaf);
  }

  get count(): number {
    return this.#count;
  }

  /** Nothing that was found is wrong; nothing may have been found. The first one decides: unproven ones are added last. */
  get harmless(): boolean {
    return this.#list.every(({ kind }) => unprovenKinds.includes(kind));
  }

  get list(): readonly Finding[] {
    return this.#list;
  }
}
