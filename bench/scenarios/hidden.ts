import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, newId } from '../../src/core/ids.ts';
import { HttpAsker } from '../harness/http-asker.ts';
import { QuasarServer } from '../harness/quasar-server.ts';
import type { Table } from '../harness/results.ts';
import { type Taken, toRow } from '../harness/rows.ts';
import { shuffled } from '../harness/shuffle.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { percentile } from '../harness/statistics.ts';
import { figure } from '../harness/table-text.ts';
import { ratio } from '../harness/verdicts.ts';
import { AccessScene } from './decisions-scene.ts';
import { makeDocuments } from './records-documents.ts';

/** Of each kind, in each round. */
const COUNT = 800;

const kinds = ['hidden, the first time', 'absent, the first time', 'hidden, again', 'absent, again'] as const;
type Kind = (typeof kinds)[number];

interface Latencies {
  readonly rounds: Taken[];
  /** Of all rounds. */
  readonly all: number[];
}

export const hidden: Scenario = {
  name: 'hidden',
  title: 'Whether time tells a hidden document from one that is not there: GETs answered 404, alternated on one connection',
  async run(stage) {
    const server = await QuasarServer.open(stage);
    const scene = new AccessScene(server, stage.closer);
    const { authorization } = await scene.someone('stranger', []);
    const stranger = HttpAsker.open({ port: server.port, headers: { Authorization: authorization } }, 1, stage.closer);
    const taken = new Map(kinds.map((kind): [Kind, Latencies] => [kind, { rounds: [], all: [] }]));
    // Round 0 leaves the code compiled.
    for (let round = 0; round <= stage.runs; round += 1) {
      stage.progress(round === 0 ? 'warming up' : `round ${round} of ${stage.runs}`);
      const measured = await measureRound(server, stranger[0] as HttpAsker, round);
      if (round > 0) keep(taken, measured);
    }
    return [toTable(stage, taken)];
  },
};

/** Asks for as many hidden documents as absent ones, in an order that nobody can foretell; then for all of them again. */
async function measureRound(server: QuasarServer, stranger: HttpAsker, round: number): Promise<Map<Kind, number[]>> {
  const there = await makeDocuments(server, { prefix: `hidden-${round}-`, count: COUNT });
  const asked = shuffled([
    ...there.map((documentId) => ({ documentId, kind: 'hidden' as const })),
    ...there.map(() => ({ documentId: newId<DocumentId>(systemClock), kind: 'absent' as const })),
  ]);
  const measured = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (const time of ['the first time', 'again'] as const) {
    for (const { documentId, kind } of asked) {
      const { ms } = await stranger.expect(404, { method: 'GET', path: `/v1/documents/${documentId}` });
      measured.get(`${kind}, ${time}`)?.push(ms);
    }
  }
  return measured;
}

function keep(taken: ReadonlyMap<Kind, Latencies>, measured: ReadonlyMap<Kind, number[]>): void {
  for (const [kind, { rounds, all }] of taken) {
    const latencies = ascending(measured.get(kind) ?? []);
    const p50Ms = percentile(latencies, 0.5);
    rounds.push({ value: p50Ms, p50Ms, p99Ms: percentile(latencies, 0.99), cpuSeconds: undefined });
    all.push(...latencies);
  }
}

function toTable({ runs }: Stage, taken: ReadonlyMap<Kind, Latencies>): Table {
  const rows = [...taken].map(([name, { rounds }]) => toRow({ name, role: 'quasar' }, rounds));
  const against = (time: 'the first time' | 'again') =>
    ratio(rows, {
      ours: `hidden, ${time}`,
      others: [`absent, ${time}`],
      pick: 'fastest',
      subject: 'hidden, over',
    });
  return {
    title: 'latency of the answer',
    unit: 'ms',
    rows,
    verdicts: [...against('the first time'), ...against('again')],
    notes: [
      ...[...taken].map(([kind, { all }]) => distribution(kind, ascending(all))),
      `Of ${(COUNT * runs).toLocaleString('en')} documents of each kind. The first time each refusal is noted in the audit log; again, it is counted.`,
    ],
  };
}

function distribution(kind: Kind, latencies: readonly number[]): string {
  const at = (share: number) => `p${share} ${figure(percentile(latencies, share / 100))}`;
  return `${kind}, in ms: ${[10, 50, 90, 99].map(at).join(', ')}.`;
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((left, right) => left - right);
}
