import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { fetchCandidate } from '../harness/fetching.ts';
import { type FileServer, namesOfNginx, nginxNotes, openNginx } from '../harness/file-servers.ts';
import type { FileStore, Requests } from '../harness/file-store.ts';
import { diskWrite } from '../harness/native-programs.ts';
import { nullFileServer, nullUpload } from '../harness/null-candidates.ts';
import { type Opened, openPeers, settingsThatStore } from '../harness/peer-settings.ts';
import { edgeNames } from '../harness/quasar-store.ts';
import type { Row, Table } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import { shuffled } from '../harness/shuffle.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { type Upload, UploadStore } from '../harness/upload-store.ts';
import { peerVerdicts, ratio } from '../harness/verdicts.ts';

const SIZE = 100 * 1024;
const CONNECTIONS = 16;
const REPEAT = 625;
const COUNT = CONNECTIONS * REPEAT;
/** Enough for a rate, where only that is wanted. */
const HEADLINE_REPEAT = 250;
const STORE_SIZE_MAX = 2e9;
/** Every run begins with an empty store, so that all of them fit on the disk. */
const PEER_STORE_SIZE_MAX = 0.5e9;
const DISK = 'native: write, 16 files an fdatasync';

export const smallFiles: Scenario = {
  name: 'small-files',
  title: `${COUNT.toLocaleString('en')} files of 100 KiB over ${CONNECTIONS} connections, in and out: one request and one document each, fsync before the reply`,
  async run(stage) {
    const ours = await openOurs(stage);
    const others = await openPeers(stage, settingsThatStore(stage.peers), (setting) =>
      UploadStore.openPeer(stage, setting, { sizeMax: PEER_STORE_SIZE_MAX }),
    );
    const stored = await measureIn(stage, ours, others);
    return stage.headlineOnly ? [stored] : [stored, await measureOut(stage, [...ours, ...others.stores])];
  },
};

/** By node:http too, unless peers take the time. */
async function openOurs(stage: Stage): Promise<UploadStore[]> {
  const wanted = stage.headlineOnly || stage.peers.length > 0 ? (['net'] as const) : (['net', 'node'] as const);
  const stores: UploadStore[] = [];
  for (const adapter of wanted)
    stores.push(await UploadStore.openQuasar(stage, { adapter, state: 'fresh', sizeMax: STORE_SIZE_MAX }));
  return stores;
}

async function measureIn(stage: Stage, ours: readonly UploadStore[], others: Opened<UploadStore>): Promise<Table> {
  const toFiles = (mbPerSecond: number) => (mbPerSecond * 1e6) / SIZE;
  const repeat = stage.headlineOnly ? HEADLINE_REPEAT : REPEAT;
  const upload: Upload = { size: SIZE, connections: CONNECTIONS, repeat };
  const candidates = [
    ...ours.map((store) => store.candidate(upload, toFiles)),
    disk(stage, CONNECTIONS * repeat),
    ...others.stores.map((store) => store.candidate(upload, toFiles)),
    await nullUpload(stage, upload, toFiles),
  ];
  const { rows, notes } = await measureInRounds(stage, candidates, {
    runs: stage.runs,
    warms: others.stores.length > 0 ? 'candidates' : 'rounds',
  });
  for (const store of ours) await store.check();
  const compare = { others: [DISK], pick: 'slowest' as const, subject: 'of the disk alone' };
  return {
    title: 'in, fresh files',
    unit: 'files/s',
    rows,
    verdicts: [
      ...peerVerdicts(rows, edgeNames.net, { minio: { promise: { atLeast: 5 }, aim: { atLeast: 10 } } }),
      ...ratio(rows, { ...compare, ours: edgeNames.net }),
      ...ratio(rows, { ...compare, ours: edgeNames.node, subject: `node:http, ${compare.subject}` }),
    ],
    notes: [
      ...others.notes,
      ...notes,
      'The disk alone neither receives nor hashes, and no database takes part: a distant ceiling, not a goal.',
    ],
  };
}

/** Reads what the last uploads stored, and nginx files of the same size. */
async function measureOut(stage: Stage, stores: readonly UploadStore[]): Promise<Table> {
  const notes: string[] = [];
  const servers: FileServer[] = [];
  for (const { store } of stores) {
    try {
      servers.push(await reading(store));
    } catch (cause) {
      notes.push(stage.lost(store.name, cause));
    }
  }
  servers.push(...(await nginx(stage)), await nullFileServer(stage, SIZE));
  const load = { connections: CONNECTIONS, repeat: REPEAT };
  const candidates = servers.map((server) => fetchCandidate(server, load, ({ requestsPerSecond }) => requestsPerSecond));
  const measured = await measureInRounds(stage, candidates, { runs: stage.runs });
  return {
    title: 'out, as the uploads left them, in random order',
    unit: 'files/s',
    rows: measured.rows,
    verdicts: verdictsOut(measured.rows, namesOfNginx(servers)),
    notes: [...nginxNotes(stage), ...notes, ...measured.notes],
  };
}

function verdictsOut(rows: readonly Row[], nginxNames: readonly string[]) {
  const others = nginxNames.filter((name) => name.startsWith('nginx, sendfile'));
  return [
    ...peerVerdicts(rows, edgeNames.net, { minio: { aim: { atLeast: 3 } } }),
    ...ratio(rows, { ours: edgeNames.net, others, pick: 'fastest', subject: 'of the better nginx' }),
  ];
}

async function reading(store: FileStore): Promise<FileServer> {
  const { name, role, port, pid } = store;
  const requests = inRandomOrder(await store.reads());
  if (requests.paths.length !== COUNT) throw new Error(`it has ${requests.paths.length} of ${COUNT} files`);
  return { name, role, port, pid, requests };
}

function inRandomOrder(requests: Requests): Requests & { readonly paths: readonly string[] } {
  if (typeof requests.paths === 'string') throw new Error('what it stored cannot be listed');
  return { ...requests, paths: shuffled(requests.paths) };
}

async function nginx(stage: Stage): Promise<FileServer[]> {
  if (!stage.has.nginx) return [];
  const root = stage.workspace.fresh('small-files');
  mkdirSync(root);
  stage.closer.push('small files', () => rmSync(root, { recursive: true }));
  const names = Array.from({ length: COUNT }, (_, index) => String(index));
  for (const name of names) writeFileSync(join(root, name), systemClock.random(SIZE));
  return openNginx(stage, root, shuffled(names.map((name) => `/${name}`)));
}

/** As many files to an fdatasync as there are connections: what a group commit can gather at best. */
function disk(stage: Stage, count: number): Candidate {
  return {
    name: DISK,
    role: 'ceiling',
    async run() {
      const file = stage.workspace.fresh('disk');
      const { bytes, seconds } = await diskWrite({ file, state: 'fresh', size: SIZE * count, batch: SIZE * CONNECTIONS });
      return { value: bytes / SIZE / seconds };
    },
  };
}
