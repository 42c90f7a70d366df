import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { runChild } from '../harness/children.ts';
import { diskWrite } from '../harness/native-programs.ts';
import { runPut } from '../harness/quasar-command.ts';
import { QuasarStore } from '../harness/quasar-store.ts';
import { type Candidate, measureInRounds, settleDisk } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { ratio } from '../harness/verdicts.ts';

const SIZE = 20_000;
const FOLDERS = 100;
const FILES_A_FOLDER = 1000;
const COUNT = FOLDERS * FILES_A_FOLDER;

/** O_DIRECT takes whole blocks: the least that holds a scan. */
const BLOCKS_SIZE = 20_480;
/** The rate does not change with more of them. */
const SYNCED_COUNT = 5000;

const QUASAR = 'Quasar, quasar put -r';
const COPY = 'cp -r, then one sync';
const SYNCED = 'native: write, one file an fdatasync';

export const scans: Scenario = {
  name: 'scans',
  title: `${COUNT.toLocaleString('en')} files of 20 KB in ${FOLDERS} folders, by quasar put -r`,
  async run(stage) {
    const folder = makeScans(stage);
    const store = await QuasarStore.open(stage, { spareSegments: 0 });
    let clientCpuSeconds = 0;
    const quasar: Candidate = {
      name: QUASAR,
      role: 'quasar',
      durability: store.durability,
      pid: () => store.pid,
      async run() {
        const put = await runPut(store.server, ['-r', folder]);
        clientCpuSeconds = put.clientCpuSeconds;
        return { value: COUNT / put.seconds, bytes: COUNT * SIZE };
      },
    };
    // Long enough to be measured once.
    const { rows, notes } = await measureInRounds(stage, [quasar, copy(stage, folder), synced(stage)], { runs: 1 });
    if (rows.some(({ candidate }) => candidate === QUASAR)) await store.check(new Map([[SIZE, { count: COUNT, unclear: 0 }]]));
    const gigabytes = (COUNT * SIZE) / 1e9;
    return [
      {
        title: 'one folder tree',
        unit: 'files/s',
        rows,
        verdicts: [
          ...ratio(rows, { ours: QUASAR, others: [SYNCED], pick: 'slowest', subject: 'of a sync for each file' }),
          ...ratio(rows, { ours: QUASAR, others: [COPY], pick: 'slowest', subject: 'of a copy' }),
        ],
        notes: [
          ...notes,
          ...rows.map(({ candidate, median }) => `${candidate}: ${((median * SIZE) / 1e6).toFixed(1)} MB/s.`),
          `One run. The command itself took ${(clientCpuSeconds / gigabytes).toFixed(1)} CPU s/GB beside the server's.`,
          'No peer and no null server speaks what quasar put does, so there are none in this table.',
        ],
      },
    ];
  },
};

function makeScans(stage: Stage): string {
  stage.progress(`making ${COUNT} files`);
  const root = stage.workspace.fresh('scans');
  stage.closer.push('scans', () => rmSync(root, { recursive: true }), 120_000);
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const path = join(root, `box-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < FILES_A_FOLDER; file += 1) writeFileSync(join(path, `scan-${file}.tif`), systemClock.random(SIZE));
  }
  return root;
}

/** What the file system does at best, and safe only when all of it is done. */
function copy(stage: Stage, folder: string): Candidate {
  const target = stage.workspace.fresh('copied');
  return {
    name: COPY,
    role: 'ceiling',
    durability: { durable: true, words: 'synced once, at the end' },
    async run() {
      const began = systemClock.monotonic();
      await runChild('cp', ['-r', folder, target]);
      await settleDisk();
      return { value: (COUNT * 1000) / (systemClock.monotonic() - began) };
    },
    finish: async () => rmSync(target, { recursive: true }),
  };
}

/** One file after the other with a sync each, without making files. */
function synced(stage: Stage): Candidate {
  return {
    name: SYNCED,
    role: 'ceiling',
    async run() {
      const size = BLOCKS_SIZE * SYNCED_COUNT;
      const { seconds } = await diskWrite({ file: stage.workspace.fresh('disk'), state: 'fresh', size, batch: BLOCKS_SIZE });
      return { value: SYNCED_COUNT / seconds };
    },
  };
}
