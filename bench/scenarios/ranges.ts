import { fetchCandidate } from '../harness/fetching.ts';
import { type FileServers, namesOfNginx, openFileServers } from '../harness/file-servers.ts';
import { settingsThatReadRanges } from '../harness/peer-settings.ts';
import { edgeNames } from '../harness/quasar-store.ts';
import type { Row, Table, Verdict } from '../harness/results.ts';
import { measureInRounds } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { type Goal, peerVerdicts, ratio } from '../harness/verdicts.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const SECONDS = 1;

interface Span {
  readonly size: number;
  readonly title: string;
  readonly goal: Goal;
}

const cached: Span = {
  size: 32 * MiB,
  title: '32 MiB (from the cache of verified blocks)',
  goal: { promise: { atLeast: 0.7 }, aim: { atLeast: 1 } },
};
const beyond: Span = {
  size: 1024 * MiB,
  title: '1 GiB (beyond the cache, each read verified)',
  goal: { promise: { atLeast: 0.5 } },
};
const rangeSizes = [64 * KiB, MiB];
/** Peers take part with the first. */
const connectionCounts = [16, 64] as const;

export const ranges: Scenario = {
  name: 'ranges',
  title: 'Ranges at random places of one file, warm',
  async run(stage) {
    const tables: Table[] = [];
    for (const span of stage.headlineOnly ? [cached] : [cached, beyond]) tables.push(...(await measureSpan(stage, span)));
    return tables;
  },
};

async function measureSpan(stage: Stage, span: Span): Promise<Table[]> {
  const open = await openFileServers(stage, {
    size: span.size,
    adapters: ['net'],
    peers: settingsThatReadRanges(stage.peers),
    ranges: true,
  });
  const tables: Table[] = [];
  for (const rangeSize of rangeSizes) {
    for (const connections of stage.headlineOnly ? connectionCounts.slice(0, 1) : connectionCounts)
      tables.push(await measure(stage, open, { span, rangeSize, connections }));
  }
  await stage.closeAll();
  return tables;
}

interface Load {
  readonly span: Span;
  readonly rangeSize: number;
  readonly connections: number;
}

async function measure(stage: Stage, open: FileServers, { span, rangeSize, connections }: Load): Promise<Table> {
  const ofPeers = connections === connectionCounts[0];
  const servers = open.servers.filter(({ role, name }) => ofPeers || role !== 'peer' || name.startsWith('nginx'));
  const load = { connections, seconds: SECONDS, range: { size: rangeSize, span: span.size } };
  const candidates = servers.map((server) => fetchCandidate(server, load, ({ requestsPerSecond }) => requestsPerSecond));
  const { rows, notes } = await measureInRounds(stage, candidates, { runs: stage.runs });
  const others = namesOfNginx(servers);
  return {
    title: `${rangeSize === MiB ? '1 MiB' : `${rangeSize / KiB} KiB`} over ${span.title}, ${connections} connections`,
    unit: 'requests/s',
    rows,
    verdicts: [
      ...ratio(rows, { ours: edgeNames.net, others, pick: 'fastest', subject: 'of the better nginx', ...span.goal }),
      ...tailVerdict(rows),
      ...peerVerdicts(rows, edgeNames.net),
    ],
    notes: [...open.notes, ...notes],
  };
}

function tailVerdict(rows: readonly Row[]): Verdict[] {
  const p99Ms = rows.find(({ candidate }) => candidate === edgeNames.net)?.p99Ms;
  return p99Ms === undefined ? [] : [{ subject: 'p99, median of the runs', value: p99Ms, unit: 'ms', promise: { atMost: 100 } }];
}
