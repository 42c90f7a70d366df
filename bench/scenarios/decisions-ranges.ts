import { checkDownload, makeFile, putFile, type StoredFile } from '../harness/content.ts';
import { fetchCandidate } from '../harness/fetching.ts';
import type { FileServer } from '../harness/file-servers.ts';
import { fetchRequests } from '../harness/native-programs.ts';
import { type QuasarOptions, QuasarServer } from '../harness/quasar-server.ts';
import { edgeNames } from '../harness/quasar-store.ts';
import type { Role, Table } from '../harness/results.ts';
import { measureInRounds } from '../harness/rounds.ts';
import type { Stage } from '../harness/stage.ts';
import { type Goal, ratio } from '../harness/verdicts.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const SPAN = 32 * MiB;
const CONNECTIONS = 16;
const SECONDS = 1;
/** Until the server's code is compiled. */
const WARM_SECONDS = 2;
const QUASAR = edgeNames.net;

interface Load {
  readonly title: string;
  readonly rangeSize: number;
  readonly goal: Goal;
}

const loads: readonly Load[] = [
  { title: '64 KiB', rangeSize: 64 * KiB, goal: {} },
  { title: '1 MiB', rangeSize: MiB, goal: { promise: { atLeast: 0.9 } } },
];

/** What it costs a range from the cache to be asked for with a key, decided and counted. */
export async function measureRanges(stage: Stage): Promise<Table[]> {
  const { earlier } = stage;
  const file = makeFile(stage.workspace.fresh('ranges'), SPAN);
  const servers = [await serving(stage, file, { name: QUASAR, role: 'quasar', options: {} })];
  if (earlier !== undefined) {
    const { name, program } = earlier;
    servers.push(await serving(stage, file, { name, role: 'peer', options: { program } }));
  }
  const tables: Table[] = [];
  for (const load of loads) tables.push(await measure(stage, servers, load));
  return tables;
}

async function measure(stage: Stage, servers: readonly FileServer[], { title, rangeSize, goal }: Load): Promise<Table> {
  const range = { size: rangeSize, span: SPAN };
  for (const { port, requests } of servers) {
    await fetchRequests({ port, requests, connections: CONNECTIONS, seconds: WARM_SECONDS, range });
  }
  const load = { connections: CONNECTIONS, seconds: SECONDS, range };
  const candidates = servers.map((server) => fetchCandidate(server, load, ({ requestsPerSecond }) => requestsPerSecond));
  const { rows, notes } = await measureInRounds(stage, candidates, { runs: stage.runs });
  const others = servers.map(({ name }) => name).filter((name) => name !== QUASAR);
  const missing = others.length === 0 ? ['No earlier version was named (--spine DIR), so there is nothing to compare with.'] : [];
  return {
    title: `ranges of ${title} over 32 MiB, from the cache, with key, decision and audit, ${CONNECTIONS} connections`,
    unit: 'requests/s',
    rows,
    verdicts: ratio(rows, { ours: QUASAR, others, pick: 'fastest', subject: 'of the version before', ...goal }),
    notes: [...notes, ...missing],
  };
}

async function serving(
  stage: Stage,
  file: StoredFile,
  { name, role, options }: { readonly name: string; readonly role: Role; readonly options: QuasarOptions },
): Promise<FileServer> {
  const server = await QuasarServer.open(stage, options);
  const path = await putFile(server, file);
  await checkDownload(server, path, file);
  const { port, pid, headers } = server;
  return { name, role, port, pid, requests: { method: 'GET', paths: [path], headers } };
}
