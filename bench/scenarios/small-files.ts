import { edgeNames } from '../harness/file-servers.ts';
import { diskWrite } from '../harness/native-programs.ts';
import { type Candidate, measureInRounds, ratio } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { UploadStore } from '../harness/upload-store.ts';

const SIZE = 100 * 1024;
const CONNECTIONS = 16;
const REPEAT = 625;
const STORE_SIZE_MAX = 3.2e9;
const DISK = 'native: write, 16 files an fdatasync';

export const smallFiles: Scenario = {
  name: 'small-files',
  title: `Upload of ${(CONNECTIONS * REPEAT).toLocaleString('en')} files of 100 KiB over ${CONNECTIONS} connections, one request and one document each, fsync before the reply`,
  async run(stage) {
    const candidates = [await quasar(stage, 'uwebsockets'), await quasar(stage, 'node'), disk(stage)];
    const rows = await measureInRounds(
      candidates.map(({ candidate }) => candidate),
      { runs: stage.runs, warms: true, progress: stage.progress },
    );
    for (const { check } of candidates) await check();
    const compare = { others: [DISK], pick: 'slowest' as const, subject: 'of the disk alone' };
    return [
      {
        title: 'fresh files',
        unit: 'files/s',
        rows,
        verdicts: [
          ...ratio(rows, { ...compare, ours: edgeNames.uwebsockets }),
          ...ratio(rows, { ...compare, ours: edgeNames.node, subject: `node:http, ${compare.subject}` }),
        ],
        notes: ['The disk alone neither receives nor hashes, and no database takes part: a distant ceiling, not a goal.'],
      },
    ];
  },
};

interface Checked {
  readonly candidate: Candidate;
  readonly check: () => Promise<void>;
}

async function quasar(stage: Stage, adapter: keyof typeof edgeNames): Promise<Checked> {
  const store = await UploadStore.open(stage, { adapter, state: 'fresh', sizeMax: STORE_SIZE_MAX });
  return {
    candidate: {
      name: edgeNames[adapter],
      role: 'quasar',
      pid: () => store.server.pid,
      prepare: () => store.prepare(),
      async run() {
        const { value, ...rest } = await store.upload(SIZE, CONNECTIONS, REPEAT);
        return { ...rest, value: (value * 1e6) / SIZE };
      },
    },
    check: () => store.check(),
  };
}

/** As many files to an fdatasync as there are connections: what a group commit can gather at best. */
function disk(stage: Stage): Checked {
  return {
    candidate: {
      name: DISK,
      role: 'ceiling',
      async run() {
        const file = stage.workspace.fresh('disk');
        const { bytes, seconds } = await diskWrite({
          file,
          state: 'fresh',
          size: SIZE * CONNECTIONS * REPEAT,
          batch: SIZE * CONNECTIONS,
        });
        return { value: bytes / SIZE / seconds };
      },
    },
    check: async () => undefined,
  };
}
