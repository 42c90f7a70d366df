import { setTimeout as sleep } from 'node:timers/promises';
import { sendBytes } from '../harness/native-programs.ts';
import { QuasarServer } from '../harness/quasar-server.ts';
import type { Sample } from '../harness/results.ts';
import { type Candidate, measureInRounds, ratio } from '../harness/rounds.ts';
import type { Scenario } from '../harness/stage.ts';

const PATH = '/v1/documents?filename=bench-%d.bin';
const SMALL = { path: PATH, size: 100 * 1024, connections: 4, repeat: 150 };
const BIG = { path: PATH, size: 1_000_000_000, connections: 4, repeat: 1 };
/** Until the big ones are under way. */
const LEAD_MS = 300;
const STORE_SIZE_MAX = 3e9;

const IDLE = 'alone';
const BESIDE = 'beside four uploads of 1 GB';

export const fairness: Scenario = {
  name: 'fairness',
  title: 'Small uploads beside big ones: p99 of 100 KiB uploads over 4 connections',
  async run(stage) {
    const server = await QuasarServer.open(stage);
    let overlapped = true;
    const small = async (): Promise<Sample> => {
      const { p50Ms, p99Ms } = await sendBytes({ port: server.port, ...SMALL });
      return { value: p99Ms, p50Ms, p99Ms };
    };
    // A store that is still making spare segments after the big uploads is not idle, so both get one without.
    const prepare = async () => {
      if (await server.renewBeyond(STORE_SIZE_MAX)) await rehearse(server.port);
    };
    await rehearse(server.port);
    const candidates: Candidate[] = [
      { name: IDLE, role: 'quasar', prepare, run: small },
      {
        name: BESIDE,
        role: 'quasar',
        prepare,
        async run() {
          let bigDone = false;
          const big = sendBytes({ port: server.port, ...BIG }).finally(() => {
            bigDone = true;
          });
          await sleep(LEAD_MS);
          const sample = await small();
          overlapped &&= !bigDone;
          await big;
          return sample;
        },
      },
    ];
    const rows = await measureInRounds(candidates, { runs: stage.runs, warms: true, progress: stage.progress });
    const promise = { atMost: 5 };
    return [
      {
        title: 'p99 in milliseconds',
        unit: 'ms',
        rows,
        verdicts: ratio(rows, { ours: BESIDE, others: [IDLE], pick: 'slowest', subject: 'beside, over', promise }),
        notes: overlapped ? [] : ['In at least one run the big uploads ended before the small ones did.'],
      },
    ];
  },
};

/** A new process is slow at first; what is sent here fits into its first segment. */
async function rehearse(port: number): Promise<void> {
  await sendBytes({ port, ...SMALL });
  await sendBytes({ port, ...BIG, size: BIG.size / 10, connections: 1 });
}
