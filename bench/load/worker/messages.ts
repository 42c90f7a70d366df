import type { WorkerResult } from '../measure/worker-result.ts';
import type { LoadPlan } from '../plan/plan.ts';
import type { KnownDocument } from '../requests/documents.ts';

/** What the command tells its workers, in this order; `stop` at any time. */
export type Order =
  | {
      readonly type: 'prepare';
      readonly plan: LoadPlan;
      readonly worker: number;
      /** Apart from the plan, which is written down: they may be secret. */
      readonly headers: readonly (readonly [string, string])[];
    }
  | { readonly type: 'run'; readonly documents: readonly KnownDocument[] }
  | { readonly type: 'stop' };

/** What they tell it. */
export type Report =
  | { readonly type: 'prepared'; readonly documents: readonly PreparedDocument[] }
  | { readonly type: 'progress'; readonly prepared: number }
  | { readonly type: 'done'; readonly result: WorkerResult }
  /** One line; the worker can do no more. */
  | { readonly type: 'failed'; readonly message: string };

export interface PreparedDocument {
  readonly index: number;
  readonly document: KnownDocument;
}
