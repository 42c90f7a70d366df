import { fetchCandidate } from '../harness/fetching.ts';
import { type FileServers, namesOfNginx, openFileServers } from '../harness/file-servers.ts';
import { settingsThatRead } from '../harness/peer-settings.ts';
import { edgeNames } from '../harness/quasar-store.ts';
import type { Table } from '../harness/results.ts';
import { measureInRounds } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { peerVerdicts, ratio } from '../harness/verdicts.ts';

const SIZE = 100_000_000;

/** One takes some 30 ms: several on a connection say more, as long as there are few connections. */
const loads = [
  { connections: 1, repeat: 5 },
  { connections: 4, repeat: 3 },
  { connections: 64, repeat: 1 },
] as const;
type Load = (typeof loads)[number];

export const download100mb: Scenario = {
  name: 'download-100mb',
  title: 'Download of a file of 100,000,000 bytes, warm',
  async run(stage) {
    const servers = await openFileServers(stage, {
      size: SIZE,
      adapters: stage.headlineOnly ? ['net'] : ['net', 'node'],
      peers: settingsThatRead(stage.peers),
      ranges: false,
    });
    const tables: Table[] = [];
    for (const load of stage.headlineOnly ? loads.slice(0, 1) : loads) tables.push(await measure(stage, servers, load));
    return tables;
  },
};

async function measure(stage: Stage, { servers, notes }: FileServers, load: Load): Promise<Table> {
  const candidates = servers.map((server) => fetchCandidate(server, load, ({ mbPerSecond }) => mbPerSecond));
  const measured = await measureInRounds(stage, candidates, { runs: stage.runs });
  const { rows } = measured;
  const better = { others: namesOfNginx(servers), pick: 'fastest' as const, subject: 'of the better nginx' };
  const goal = { promise: { atLeast: 0.7 }, aim: { atLeast: 1 } };
  return {
    title: load.connections === 1 ? '1 stream' : `${load.connections} streams`,
    unit: 'MB/s',
    rows,
    verdicts: [
      ...ratio(rows, { ...better, ...goal, ours: edgeNames.net }),
      ...ratio(rows, { ...better, ours: edgeNames.node, subject: `node:http, ${better.subject}` }),
      ...peerVerdicts(rows, edgeNames.net, { minio: { promise: { atLeast: 2 } } }),
    ],
    notes: [...notes, ...measured.notes],
  };
}
