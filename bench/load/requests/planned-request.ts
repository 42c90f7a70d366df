import type { Kind, LoadPlan } from '../plan/plan.ts';
import { drawSize } from '../plan/size-spread.ts';
import { Dice } from './dice.ts';

/** What request number `index` of a run is. The plan and the index decide it, not the worker or the time it is sent at. */
export interface PlannedRequest {
  readonly index: number;
  readonly kind: Kind;
  /** Of the body of an upload, in bytes. */
  readonly size: number;
  /** Which document is read, in [0, 1); `Popularity` says which that is. */
  readonly target: number;
  /** Of a range, in bytes, and where it begins in what room is left, in [0, 1). */
  readonly rangeSize: number;
  readonly rangeAt: number;
  /** After what share of the body the connection is cut; undefined for most. */
  readonly cutAt: number | undefined;
}

export function planRequest(plan: LoadPlan, index: number): PlannedRequest {
  const dice = new Dice(plan.seed, index);
  const kind = pickKind(plan, dice.next());
  return {
    index,
    kind,
    size: drawSize(plan.size, dice),
    target: dice.next(),
    rangeSize: drawSize(plan.rangeSize, dice),
    rangeAt: dice.next(),
    cutAt: drawCut(plan, dice),
  };
}

/** Sizes of the documents that are uploaded before the run. */
export function planDocument(plan: LoadPlan, index: number): { readonly number: number; readonly size: number } {
  const number = FIRST_DOCUMENT + index;
  return { number, size: drawSize(plan.size, new Dice(plan.seed, number)) };
}

/** Documents have numbers of their own, so that no request's body is one of theirs. */
const FIRST_DOCUMENT = 2 ** 48;

function pickKind({ mix }: LoadPlan, thrown: number): Kind {
  let rest = thrown * mix.reduce((total, { weight }) => total + weight, 0);
  for (const { kind, weight } of mix) {
    rest -= weight;
    if (rest < 0) return kind;
  }
  return (mix.at(-1) as LoadPlan['mix'][number]).kind;
}

/** Thrown for every request, so that a run with aborts has the same requests as one without. */
function drawCut({ abort }: LoadPlan, dice: Dice): number | undefined {
  const isCut = dice.next() < abort;
  const share = dice.next();
  return isCut ? share : undefined;
}
