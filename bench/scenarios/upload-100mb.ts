import { diskWrite, type FileState } from '../harness/native-programs.ts';
import { openNativeReceiver } from '../harness/native-receiver.ts';
import { nullUpload } from '../harness/null-candidates.ts';
import { type Opened, openPeers, settingsThatStore } from '../harness/peer-settings.ts';
import { edgeNames } from '../harness/quasar-store.ts';
import type { Row, Table, Verdict } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { send, type Upload, UploadStore } from '../harness/upload-store.ts';
import { peerVerdicts, ratio } from '../harness/verdicts.ts';

const SIZE = 100_000_000;
/** A measurement, over all streams: one upload takes a seventh of a second, of which the clock of CPU time sees ten steps. */
const UPLOADS = 4;
const STORE_SIZE_MAX = 3.5e9;
/** Several of them share the disk with ours. */
const PEER_STORE_SIZE_MAX = 0.6e9;
/** Of settings. With more of them one table for each number of streams takes long enough. */
const PEERS_IN_EACH_TABLE_MAX = 3;

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
    if (stage.headlineOnly) return [await measure(stage, 1, 'fresh')];
    const tables: Table[] = [];
    for (const streams of [1, 4]) {
      for (const state of ['fresh', 'written'] as const) tables.push(await measure(stage, streams, state));
    }
    return tables;
  },
};

/** Every table has its servers to itself, so that the disk never holds more than a part of what is written. */
async function measure(stage: Stage, streams: number, state: FileState): Promise<Table> {
  const upload = { size: SIZE, connections: streams, repeat: UPLOADS / streams };
  const ours = await openOurs(stage, state);
  const others = await openOthers(stage, state);
  const candidates = [
    ...ours.map((store) => store.candidate(upload)),
    disk(stage, state),
    ...(stage.canHash ? [await receiver(stage, upload, state)] : []),
    ...others.stores.map((store) => store.candidate(upload)),
    await nullUpload(stage, upload),
  ];
  const warms = others.stores.length > 0 ? 'candidates' : 'rounds';
  const { rows, notes } = await measureInRounds(stage, candidates, { runs: stage.runs, warms });
  for (const store of ours) await store.check();
  await stage.closeAll();
  return {
    title: `${streams === 1 ? '1 stream' : `${streams} streams`}, ${stateNames[state]}`,
    unit: 'MB/s',
    rows,
    verdicts: verdicts(rows),
    notes: [
      ...others.notes,
      ...notes,
      ...(stage.canHash ? [] : ['The ceiling that hashes could not be built here (see native-bench/Makefile).']),
    ],
  };
}

/** By node:http too, unless peers take the time. */
async function openOurs(stage: Stage, state: FileState): Promise<UploadStore[]> {
  const wanted = stage.headlineOnly || stage.peers.length > 0 ? (['net'] as const) : (['net', 'node'] as const);
  return Promise.all(wanted.map((adapter) => UploadStore.openQuasar(stage, { adapter, state, sizeMax: STORE_SIZE_MAX })));
}

async function openOthers(stage: Stage, state: FileState): Promise<Opened<UploadStore>> {
  const settings = settingsThatStore(stage.peers);
  if (state === 'written' && settings.length > PEERS_IN_EACH_TABLE_MAX)
    return { stores: [], notes: ['The peers have no such state; they stand in the table of fresh files.'] };
  return openPeers(stage, settings, (setting) => UploadStore.openPeer(stage, setting, { sizeMax: PEER_STORE_SIZE_MAX }));
}

function verdicts(rows: readonly Row[]): Verdict[] {
  const ceiling = { others: [DISK, RECEIVER], pick: 'slowest' as const, subject: 'of the slower ceiling' };
  return [
    ...ratio(rows, { ...ceiling, ours: edgeNames.net, promise: { atLeast: 0.7 } }),
    ...ratio(rows, { ...ceiling, ours: edgeNames.node, subject: `node:http, ${ceiling.subject}` }),
    ...peerVerdicts(rows, edgeNames.net, {
      minio: { promise: { atLeast: 2 }, aim: { atLeast: 2.5 } },
      minioWithoutMd5: { aim: { atLeast: 1.3 } },
    }),
  ];
}

/** One program writes what all uploads of a measurement would, with the batches and the fdatasync of the segment writer. */
function disk(stage: Stage, state: FileState): Candidate {
  return {
    name: DISK,
    role: 'ceiling',
    async run() {
      const { bytes, seconds } = await diskWrite({ file: stage.workspace.fresh('disk'), state, size: SIZE * UPLOADS });
      return { value: bytes / seconds / 1e6 };
    },
  };
}

async function receiver(stage: Stage, upload: Upload, state: FileState): Promise<Candidate> {
  // One more than it gets: it ends with the last, and its CPU time could not be read any more.
  const { port, pid } = await openNativeReceiver(stage, { state, size: SIZE, requests: stage.runs * UPLOADS + 1 });
  const requests = { method: 'POST', paths: '/', headers: {} } as const;
  return {
    name: RECEIVER,
    role: 'ceiling',
    durability: { durable: true, words: 'data synced, no names' },
    pid: () => pid,
    run: () => send(port, { requests, repeat: 1, ...upload }),
  };
}
