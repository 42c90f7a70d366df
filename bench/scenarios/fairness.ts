import { setTimeout as sleep } from 'node:timers/promises';
import type { FileStore } from '../harness/file-store.ts';
import { openNullServer } from '../harness/null-server.ts';
import { headlineSettings, openPeers } from '../harness/peer-settings.ts';
import { QuasarStore } from '../harness/quasar-store.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { send, type Upload } from '../harness/upload-store.ts';
import { ratio } from '../harness/verdicts.ts';

const SMALL: Upload = { size: 100 * 1024, connections: 4, repeat: 150 };
const BIG: Upload = { size: 1_000_000_000, connections: 4 };
/** What a new process is warmed up with; it fits into Quasar's first segment. */
const WARMING: Upload = { size: 100_000_000, connections: 1 };
/** Until the big ones are under way. */
const LEAD_MS = 300;
/** With peers every round takes a minute. */
const RUNS_WITH_PEERS = 3;

const ALONE = 'alone';
const BESIDE = 'beside four uploads of 1 GB';

export const fairness: Scenario = {
  name: 'fairness',
  title: 'Small uploads beside big ones: p99 of 100 KiB uploads over 4 connections',
  async run(stage) {
    const quasar = await QuasarStore.open(stage);
    const peers = await openPeers(stage, headlineSettings(stage.peers), (setting) => setting.open(stage));
    const tooShort = new Set<string>();
    const stores = [
      { name: 'Quasar', store: quasar as FileStore },
      ...peers.stores.map((store) => ({ name: store.name, store })),
    ];
    for (const { store } of stores) await warm(store);
    const candidates = [...stores.flatMap(({ name, store }) => both(name, store, tooShort)), await nullServer(stage)];
    const runs = peers.stores.length > 0 ? Math.min(stage.runs, RUNS_WITH_PEERS) : stage.runs;
    const { rows, notes } = await measureInRounds(stage, candidates, { runs, warms: 'rounds', smallerIsBetter: true });
    return [
      {
        title: 'p99 in milliseconds',
        unit: 'ms',
        rows,
        verdicts: stores.flatMap(({ name }) =>
          ratio(rows, {
            ours: `${name}, ${BESIDE}`,
            others: [`${name}, ${ALONE}`],
            pick: 'slowest',
            subject: `${name} beside, over`,
            ...(name === 'Quasar' ? { promise: { atMost: 5 } } : {}),
          }),
        ),
        notes: [
          ...peers.notes,
          ...notes,
          `${runs} ${runs === 1 ? 'run' : 'runs'}.`,
          ...[...tooShort].map((name) => `${name}: in at least one run the big uploads ended before the small ones did.`),
        ],
      },
    ];
  },
};

function both(name: string, store: FileStore, tooShort: Set<string>): Candidate[] {
  const { role, durability } = store;
  const shared = { role, durability, pid: () => store.pid };
  return [
    { ...shared, name: `${name}, ${ALONE}`, run: () => small(store) },
    {
      ...shared,
      name: `${name}, ${BESIDE}`,
      async run() {
        let bigDone = false;
        const big = upload(store, BIG).finally(() => {
          bigDone = true;
        });
        // It is awaited below; a failure before that must not end the bench.
        big.catch(() => undefined);
        await sleep(LEAD_MS);
        const sample = await small(store);
        if (bigDone) tooShort.add(name);
        const { bytes = 0, failures = 0 } = await big;
        return { ...sample, bytes: (sample.bytes ?? 0) + bytes, failures: (sample.failures ?? 0) + failures };
      },
      // Makes room, and a store that still prepares spare segments after the big uploads would not be alone.
      async finish() {
        await store.renew();
        await warm(store);
      },
    },
  ];
}

async function nullServer(stage: Stage): Promise<Candidate> {
  const { port, pid } = await openNullServer(stage, { size: 0 });
  const requests = { method: 'POST', paths: '/', headers: {} } as const;
  return {
    name: `null server, ${ALONE}`,
    role: 'null',
    pid: () => pid,
    run: async () => tail(await send(port, { requests, repeat: 1, ...SMALL })),
  };
}

async function small(store: FileStore) {
  return tail(await upload(store, SMALL));
}

function tail(sample: Awaited<ReturnType<typeof send>>) {
  const { p99Ms } = sample;
  if (p99Ms === undefined) throw new Error('too few uploads were answered with 2xx');
  return { ...sample, value: p99Ms };
}

async function upload(store: FileStore, { size, connections, repeat = 1 }: Upload) {
  const requests = await store.writes(connections * repeat, size);
  return send(store.port, { requests, size, connections, repeat });
}

async function warm(store: FileStore): Promise<void> {
  await upload(store, SMALL);
  await upload(store, WARMING);
}
