import { connect } from 'node:net';
import { systemClock, toTimestamp } from '../../src/core/clock.ts';
import { toConnectionFault } from './http/connection-fault.ts';
import { type LoadResult, mergeResults } from './measure/load-result.ts';
import type { LoadPlan } from './plan/plan.ts';
import { parseTarget } from './plan/target.ts';
import { WorkerProcess } from './worker/worker-process.ts';

export interface LoadOptions {
  readonly plan: LoadPlan;
  readonly headers: readonly (readonly [string, string])[];
  /** Ends the run; what was measured until then is the result. */
  readonly stop: AbortSignal;
  readonly progress: (line: string) => void;
}

/**
 * Runs a plan: worker processes, documents to read, the run, one result. Undefined when it was stopped before there was
 * anything to measure. @throws Error with one line that says why there is no result.
 */
export async function runLoad({ plan, headers, stop, progress }: LoadOptions): Promise<LoadResult | undefined> {
  await findServer(plan);
  const documents = plan.paths.length === 0 ? plan.documents : plan.paths.length;
  const prepared = new Array<number>(plan.workers).fill(0);
  const workers = prepared.map(
    (_, worker) =>
      new WorkerProcess((count) => {
        prepared[worker] = count;
        const done = prepared.reduce((sum, each) => sum + each, 0);
        if (done % Math.ceil(documents / 10) === 0 || done === documents) progress(`${done} of ${documents} documents are there`);
      }),
  );
  try {
    const stopped = new Promise<undefined>((resolve) => stop.addEventListener('abort', () => resolve(undefined)));
    const preparing = workers.map((each, worker) => each.order({ type: 'prepare', plan, worker, headers }, 'prepared'));
    const all = await Promise.race([Promise.all(preparing), stopped]);
    if (all === undefined || stop.aborted) return undefined;
    const found = all.flatMap(({ documents: part }) => part).sort((left, right) => left.index - right.index);
    progress(`warm-up ${plan.warmUpMs / 1000} s, then ${lengthText(plan)}`);
    const startedAt = toTimestamp(systemClock.now());
    stop.addEventListener('abort', () => {
      for (const worker of workers) worker.stop();
    });
    const order = { type: 'run', documents: found.map(({ document }) => document) } as const;
    const reports = await Promise.all(workers.map((worker) => worker.order(order, 'done')));
    const results = reports.map(({ result }) => result);
    return mergeResults(plan, results, { startedAt, wasInterrupted: stop.aborted });
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

function lengthText({ requests, durationMs }: LoadPlan): string {
  return requests === undefined ? `${durationMs / 1000} s` : `${requests} requests`;
}

/** @throws Error when nobody listens. */
function findServer({ url }: LoadPlan): Promise<void> {
  const { target } = parseTarget(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, timeout: 5000 });
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`no server answers at ${url} (${why}); start it, or name another with --url`));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => fail('timeout'));
    socket.once('error', (error) => fail(toConnectionFault(error).kind));
  });
}
