import { QuasarServer } from '../harness/quasar-server.ts';
import type { Row, Verdict } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Scenario } from '../harness/stage.ts';

const FIRST = 'first start, empty folder';
const SECOND = 'second start';

export const start: Scenario = {
  name: 'start',
  title: 'From the command to the first 200 of /v1/ready',
  async run(stage) {
    const fresh = QuasarServer.prepare(stage);
    const known = await QuasarServer.open(stage);
    const candidates: Candidate[] = [
      { name: FIRST, role: 'quasar', prepare: () => fresh.empty(), run: () => timed(fresh) },
      { name: SECOND, role: 'quasar', prepare: () => known.stop(), run: () => timed(known) },
    ];
    const rows = await measureInRounds(candidates, { runs: stage.runs, progress: stage.progress });
    return [
      { title: 'seconds', unit: 's', rows, verdicts: [...verdict(rows, FIRST, 5), ...verdict(rows, SECOND, 2)], notes: [] },
    ];
  },
};

async function timed(server: QuasarServer) {
  await server.start();
  return { value: server.startMs / 1000 };
}

function verdict(rows: readonly Row[], name: string, atMost: number): Verdict[] {
  return rows
    .filter(({ candidate }) => candidate === name)
    .map(({ median, min, max }) => ({ subject: name, value: median, min, max, unit: 's', promise: { atMost } }));
}
