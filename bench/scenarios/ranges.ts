import { edgeNames, type FileServer, nginxNotes, openFileServers } from '../harness/file-servers.ts';
import type { Sample, Table } from '../harness/results.ts';
import { measureInRounds, ratio } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { requestRanges } from '../harness/wrk.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const SECONDS = 1;

const spans = [
  { size: 32 * MiB, title: '32 MiB (from the cache of verified blocks)', promise: 0.7 },
  { size: 1024 * MiB, title: '1 GiB (beyond the cache, each read verified)', promise: 0.5 },
] as const;
const rangeSizes = [64 * KiB, MiB];
const connectionCounts = [16, 64];

export const ranges: Scenario = {
  name: 'ranges',
  title: 'Ranges at random places of one file, warm',
  async run(stage) {
    if (!stage.has.wrk) return [notMeasured];
    const tables: Table[] = [];
    for (const span of spans) tables.push(...(await measureSpan(stage, span)));
    return tables;
  },
};

const notMeasured: Table = {
  title: 'not measured',
  unit: 'requests/s',
  rows: [],
  verdicts: [],
  notes: ['wrk is not installed here.'],
};

async function measureSpan(stage: Stage, span: (typeof spans)[number]): Promise<Table[]> {
  const servers = await openFileServers(stage, { size: span.size, adapters: ['uwebsockets'] });
  for (const server of servers) await load(server, { span, rangeSize: 64 * KiB, connections: 16 });
  const tables: Table[] = [];
  for (const rangeSize of rangeSizes) {
    for (const connections of connectionCounts) tables.push(await measure(stage, servers, { span, rangeSize, connections }));
  }
  await stage.closeAll();
  return tables;
}

interface Load {
  readonly span: (typeof spans)[number];
  readonly rangeSize: number;
  readonly connections: number;
}

function load({ port, path }: FileServer, { span, rangeSize, connections }: Load): Promise<Sample> {
  return requestRanges({ port, path, rangeSize, fileSize: span.size, connections, seconds: SECONDS });
}

async function measure(stage: Stage, servers: readonly FileServer[], wanted: Load): Promise<Table> {
  const { span, rangeSize, connections } = wanted;
  const candidates = servers.map((server) => ({
    name: server.name,
    role: server.role,
    pid: () => server.pid,
    run: () => load(server, wanted),
  }));
  const rows = await measureInRounds(candidates, { runs: stage.runs, progress: stage.progress });
  const others = servers.filter(({ role }) => role === 'peer').map(({ name }) => name);
  const ours = rows.find(({ candidate }) => candidate === edgeNames.uwebsockets);
  return {
    title: `${rangeSize === MiB ? '1 MiB' : `${rangeSize / KiB} KiB`} over ${span.title}, ${connections} connections`,
    unit: 'requests/s',
    rows,
    verdicts: [
      ...ratio(rows, {
        ours: edgeNames.uwebsockets,
        others,
        pick: 'fastest',
        subject: 'of the better nginx',
        promise: { atLeast: span.promise },
      }),
      ...(ours?.p99Ms === undefined ? [] : [tailVerdict(ours.p99Ms)]),
    ],
    notes: nginxNotes(stage),
  };
}

function tailVerdict(p99Ms: number) {
  return { subject: 'p99, median of the runs', value: p99Ms, unit: 'ms' as const, promise: { atMost: 100 } };
}
