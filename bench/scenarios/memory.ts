import { contentPath, listDocuments } from '../harness/content.ts';
import type { Requests } from '../harness/file-store.ts';
import { type CrowdLoad, runCrowd } from '../harness/native-programs.ts';
import { watchMemory } from '../harness/process-tree.ts';
import { QuasarServer } from '../harness/quasar-server.ts';
import type { Sample, Table } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Scenario } from '../harness/stage.ts';

const CLIENTS = 100;
const FAST = { size: 100_000_000, rate: 0 };
/** A fifth of the file, so that a run takes ten seconds: what is held at once does not depend on how long it takes. */
const SLOW = { size: 20_000_000, rate: 2_000_000 };
const uploads: Requests = { method: 'POST', paths: '/v1/documents?filename=crowd-%d.bin', headers: {} };
const PROMISE = { atMost: 300 };

export const memory: Scenario = {
  name: 'memory',
  title: `Memory of the Quasar process at ${CLIENTS} concurrent transfers: peak of RssAnon + RssShmem, sampled every 100 ms`,
  async run(stage) {
    const server = await QuasarServer.open(stage);
    const held = async (crowd: Omit<CrowdLoad, 'port' | 'clients'>): Promise<Sample> => {
      const watch = watchMemory(server.pid);
      const { bytes, failures } = await runCrowd({ port: server.port, clients: CLIENTS, ...crowd });
      return { value: watch.end() / 1e6, bytes, failures };
    };
    const restart = async () => {
      await server.stop();
      await server.start();
    };
    const downloads = async (): Promise<Requests> => {
      const whole = (await listDocuments(server.url)).filter(({ size }) => size === FAST.size);
      return { method: 'GET', paths: whole.slice(0, CLIENTS).map(({ documentId }) => contentPath(documentId)), headers: {} };
    };
    const candidates: Candidate[] = [
      {
        name: 'uploads, slow clients',
        role: 'quasar',
        prepare: () => server.renew(),
        run: () => held({ ...SLOW, requests: uploads }),
      },
      {
        name: 'uploads, fast clients',
        role: 'quasar',
        prepare: () => server.renew(),
        run: () => held({ ...FAST, requests: uploads }),
      },
      {
        name: 'downloads, slow clients',
        role: 'quasar',
        prepare: restart,
        run: async () => held({ ...SLOW, requests: await downloads() }),
      },
      {
        name: 'downloads, fast clients',
        role: 'quasar',
        prepare: restart,
        run: async () => held({ ...FAST, requests: await downloads() }),
      },
    ];
    // Once each and in this order: a peak, not a rate, and the downloads read what the fast uploads stored.
    const rows = await measureInRounds(
      candidates.map((candidate) => ({ ...candidate, pid: () => server.pid })),
      { runs: 1, progress: stage.progress },
    );
    return [toTable(rows)];
  },
};

function toTable(rows: Table['rows']): Table {
  return {
    title: 'peak',
    unit: 'MB',
    rows,
    verdicts: rows.map(({ candidate, median }) => ({ subject: candidate, value: median, unit: 'MB', promise: PROMISE })),
    notes: [
      'Fast: 100 different files of 100 MB each. Slow: 20 MB of a file for each client, at 2 MB/s with small socket buffers.',
      'Without PostgreSQL, which is a process of its own, and without mapped pages of the index. Every row starts with a new process.',
    ],
  };
}
