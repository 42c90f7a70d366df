import { edgeNames } from '../harness/file-servers.ts';
import { diskWrite, type FileState, sendBytes } from '../harness/native-programs.ts';
import { openNativeReceiver } from '../harness/native-receiver.ts';
import type { Table } from '../harness/results.ts';
import { type Candidate, measureInRounds, ratio } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { UploadStore } from '../harness/upload-store.ts';

const SIZE = 100_000_000;
const STORE_SIZE_MAX = 3.5e9;

const DISK = 'native: write';
const RECEIVER = 'native: receive, hash, write';

const stateNames: Readonly<Record<FileState, string>> = {
  fresh: 'fresh files (a new node)',
  written: 'files written before (spare segments, made once a first one has rolled)',
};

export const upload100mb: Scenario = {
  name: 'upload-100mb',
  title: 'Upload of 100,000,000 distinct bytes in one request, fsync before the reply',
  async run(stage) {
    const tables: Table[] = [];
    for (const streams of [1, 4]) {
      for (const state of ['fresh', 'written'] as const) tables.push(await measure(stage, streams, state));
    }
    return tables;
  },
};

/** Every table has its servers to itself, so that the disk never holds more than a quarter of what is written. */
async function measure(stage: Stage, streams: number, state: FileState): Promise<Table> {
  const open = (adapter: keyof typeof edgeNames) => UploadStore.open(stage, { adapter, state, sizeMax: STORE_SIZE_MAX });
  const [uws, node] = await Promise.all([open('uwebsockets'), open('node')]);
  const candidates = [
    quasar(edgeNames.uwebsockets, uws, streams),
    quasar(edgeNames.node, node, streams),
    disk(stage, streams, state),
    ...(stage.canHash ? [await receiver(stage, streams, state)] : []),
  ];
  const rows = await measureInRounds(candidates, { runs: stage.runs, warms: true, progress: stage.progress });
  await Promise.all([uws.check(), node.check()]);
  await stage.closeAll();
  const compare = { others: [DISK, RECEIVER], pick: 'slowest' as const, subject: 'of the slower ceiling' };
  return {
    title: `${streams === 1 ? '1 stream' : `${streams} streams`}, ${stateNames[state]}`,
    unit: 'MB/s',
    rows,
    verdicts: [
      ...ratio(rows, { ...compare, ours: edgeNames.uwebsockets, promise: { atLeast: 0.7 } }),
      ...ratio(rows, { ...compare, ours: edgeNames.node, subject: `node:http, ${compare.subject}` }),
    ],
    notes: stage.canHash ? [] : ['The ceiling that hashes could not be built here (see native-bench/Makefile).'],
  };
}

function quasar(name: string, store: UploadStore, streams: number): Candidate {
  return {
    name,
    role: 'quasar',
    pid: () => store.server.pid,
    prepare: () => store.prepare(),
    run: () => store.upload(SIZE, streams),
  };
}

/** One program writes what all streams would, with the batches and the fdatasync of the segment writer. */
function disk(stage: Stage, streams: number, state: FileState): Candidate {
  return {
    name: DISK,
    role: 'ceiling',
    async run() {
      const { bytes, seconds } = await diskWrite({ file: stage.workspace.fresh('disk'), state, size: SIZE * streams });
      return { value: bytes / seconds / 1e6 };
    },
  };
}

async function receiver(stage: Stage, streams: number, state: FileState): Promise<Candidate> {
  // One more than it gets: it ends with the last, and its CPU time could not be read any more.
  const { port, pid } = await openNativeReceiver(stage, { state, size: SIZE, requests: stage.runs * streams + 1 });
  return {
    name: RECEIVER,
    role: 'ceiling',
    pid: () => pid,
    async run() {
      const { mbPerSecond: value, bytes } = await sendBytes({ port, path: '/', size: SIZE, connections: streams, repeat: 1 });
      return { value, bytes };
    },
  };
}
