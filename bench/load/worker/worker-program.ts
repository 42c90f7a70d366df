import type { Order, Report } from './messages.ts';
import { prepareDocuments } from './prepare-documents.ts';
import { WorkerRun } from './worker-run.ts';
import { Workplace } from './workplace.ts';

/** A worker process: does what it is ordered, and ends when the command does. */

let workplace: Workplace | undefined;
let run: WorkerRun | undefined;

// Ctrl-C reaches every process of the terminal; the command decides what to do about it.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => void obey(order).catch((error: unknown) => fail(error)));

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'prepare': {
      workplace = new Workplace(order.plan, order.worker, order.headers);
      let prepared = 0;
      const documents = await prepareDocuments(workplace, () => {
        prepared += 1;
        report({ type: 'progress', prepared });
      });
      report({ type: 'prepared', documents });
      return;
    }
    case 'run':
      if (workplace === undefined) throw new Error('a worker must be prepared before it runs');
      run = new WorkerRun(workplace, order.documents);
      report({ type: 'done', result: await run.run() });
      return;
    case 'stop':
      run?.stop();
  }
}

function report(message: Report): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}
