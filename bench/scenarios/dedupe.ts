import { copyFileSync, rmSync } from 'node:fs';
import { makeFile } from '../harness/content.ts';
import type { FileStore } from '../harness/file-store.ts';
import { nullUpload } from '../harness/null-candidates.ts';
import { headlineSettings, openPeers } from '../harness/peer-settings.ts';
import { runPut } from '../harness/quasar-command.ts';
import { QuasarStore } from '../harness/quasar-store.ts';
import type { Row, Sample, Table } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import { toRow } from '../harness/rows.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { send, type Upload } from '../harness/upload-store.ts';
import { ratio } from '../harness/verdicts.ts';

const SIZE = 1_000_000_000;
const ONCE: Upload = { size: SIZE, connections: 1 };
/** What a new process is warmed up with. */
const WARMING: Upload = { size: 100_000_000, connections: 3, repeat: 2 };
/** A gigabyte is long enough to say what it has to. */
const RUNS_MAX = 3;

const FIRST = 'first';
const AGAIN = 'the same again';

/** How much stores grew by, by candidate. */
type Growth = Map<Candidate, number[]>;

export const dedupe: Scenario = {
  name: 'dedupe',
  title: 'Upload of 1 GB, and of the same bytes again under another name',
  async run(stage) {
    const growth: Growth = new Map();
    const quasar = await QuasarStore.open(stage, { spareSegments: 0 });
    const peers = await openPeers(stage, headlineSettings(stage.peers), (setting) => setting.open(stage));
    const candidates = [
      ...byRequest('Quasar', quasar, growth),
      ...byCommand(stage, quasar, growth),
      ...peers.stores.flatMap((store) => byRequest(store.name, store, growth)),
      await nullUpload(stage, ONCE),
    ];
    const runs = Math.min(stage.runs, RUNS_MAX);
    const { rows, notes } = await measureInRounds(stage, candidates, { runs, order: 'given', warms: 'rounds' });
    return [speed(rows, [...peers.notes, ...notes, `${runs} ${runs === 1 ? 'run' : 'runs'}.`]), sizes(growth, rows)];
  },
};

function byRequest(name: string, store: FileStore, growth: Growth): Candidate[] {
  const upload = (seed: number) => async (): Promise<Sample> => {
    const requests = await store.writes(1, SIZE);
    return send(store.port, { requests, seed, repeat: 1, ...ONCE });
  };
  return twice(`${name}, one request`, store, growth, upload(1), upload(1));
}

/** The command hashes what it sends, and starts and ends like any other command. */
function byCommand(stage: Stage, store: QuasarStore, growth: Growth): Candidate[] {
  const file = makeFile(stage.workspace.fresh('file'), SIZE);
  const copy = stage.workspace.fresh('copy');
  copyFileSync(file.path, copy);
  stage.closer.push('files', () => {
    for (const path of [file.path, copy]) rmSync(path);
  });
  const put = (path: string) => async (): Promise<Sample> => {
    const { seconds } = await runPut(store.server, [path]);
    return { value: SIZE / seconds / 1e6, bytes: SIZE };
  };
  return twice('Quasar, quasar put', store, growth, put(file.path), put(copy));
}

function twice(
  name: string,
  store: FileStore,
  growth: Growth,
  first: () => Promise<Sample>,
  again: () => Promise<Sample>,
): Candidate[] {
  const grown = (candidate: Candidate): Candidate => {
    const sizes: number[] = [];
    const measured = {
      ...candidate,
      async run(round: number) {
        const before = store.storeSize();
        const sample = await candidate.run(round);
        sizes.push((store.storeSize() - before) / 1e6);
        return sample;
      },
    };
    growth.set(measured, sizes);
    return measured;
  };
  const { role, durability } = store;
  const shared = { role, durability, pid: () => store.pid };
  return [
    grown({ ...shared, name: `${name}, ${FIRST}`, prepare: () => warm(store), run: first }),
    // Makes room for the next store on the disk, too.
    grown({ ...shared, name: `${name}, ${AGAIN}`, run: again, finish: () => store.renew() }),
  ];
}

async function warm(store: FileStore): Promise<void> {
  const { size, connections, repeat = 1 } = WARMING;
  const requests = await store.writes(connections * repeat, size);
  await send(store.port, { requests, size, connections, repeat });
}

function speed(rows: readonly Row[], notes: readonly string[]): Table {
  const names = rows.map(({ candidate }) => candidate).filter((name) => name.endsWith(`, ${AGAIN}`));
  return {
    title: 'speed',
    unit: 'MB/s',
    rows,
    verdicts: names.flatMap((name) => {
      const first = name.replace(AGAIN, FIRST);
      return ratio(rows, { ours: name, others: [first], pick: 'slowest', subject: `${AGAIN}, over` });
    }),
    notes,
  };
}

function sizes(growth: Growth, rows: readonly Row[]): Table {
  const measured = [...growth].filter(([{ name }]) => rows.some(({ candidate }) => candidate === name));
  return {
    title: 'what the store grew by',
    unit: 'MB',
    rows: measured.map(([{ name, role }, sizes]) =>
      toRow(
        { name, role },
        sizes.map((value) => ({ value, cpuSeconds: undefined })),
      ),
    ),
    verdicts: [],
    notes: ['Of Quasar with the files of its database, so a few MB are those of its write-ahead log.'],
  };
}
