import { edgeNames, type FileServer, nginxNotes, openFileServers } from '../harness/file-servers.ts';
import { fetchBytes } from '../harness/native-programs.ts';
import type { Table } from '../harness/results.ts';
import { type Candidate, measureInRounds, ratio } from '../harness/rounds.ts';
import type { Scenario, Stage } from '../harness/stage.ts';

const SIZE = 100_000_000;
/** One takes some 30 ms; several on a connection say more. */
const REPEAT = 5;

export const download100mb: Scenario = {
  name: 'download-100mb',
  title: 'Download of a file of 100,000,000 bytes, warm',
  async run(stage) {
    const servers = await openFileServers(stage, { size: SIZE, adapters: ['uwebsockets', 'node'] });
    const tables: Table[] = [];
    for (const streams of [1, 4]) tables.push(await measure(stage, servers, streams));
    return tables;
  },
};

async function measure(stage: Stage, servers: readonly FileServer[], streams: number): Promise<Table> {
  const candidates = servers.map((server) => download(server, streams));
  const rows = await measureInRounds(candidates, { runs: stage.runs, progress: stage.progress });
  const others = servers.filter(({ role }) => role === 'peer').map(({ name }) => name);
  const subject = 'of the better nginx';
  return {
    title: streams === 1 ? '1 stream' : `${streams} streams`,
    unit: 'MB/s',
    rows,
    verdicts: [
      ...ratio(rows, { ours: edgeNames.uwebsockets, others, pick: 'fastest', subject, promise: { atLeast: 0.7 } }),
      ...ratio(rows, { ours: edgeNames.node, others, pick: 'fastest', subject: `node:http, ${subject}` }),
    ],
    notes: nginxNotes(stage),
  };
}

function download({ name, role, port, pid, path }: FileServer, streams: number): Candidate {
  return {
    name,
    role,
    pid: () => pid,
    async run() {
      const { mbPerSecond: value, bytes } = await fetchBytes(port, path, streams, REPEAT);
      return { value, bytes };
    },
  };
}
