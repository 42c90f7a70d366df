import { setTimeout as sleep } from 'node:timers/promises';
import { EventWriter } from '../../src/audit/event-writer.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { readSecret } from '../../src/config/secrets.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { DocumentId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { findLocalScope } from '../../src/database/local-scope.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import type { AccessGate } from '../../src/http/access-gate.ts';
import type { Caller } from '../../src/http/caller.ts';
import type { Exchange } from '../../src/http/edge.ts';
import { member, onDocument } from '../../src/http/route-access.ts';
import { openGate } from '../../src/roles/open-gate.ts';
import { databaseOf } from '../harness/bare-postgres.ts';
import { QuasarServer } from '../harness/quasar-server.ts';
import type { Sample, Table } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Stage } from '../harness/stage.ts';
import { median } from '../harness/statistics.ts';
import { figureOf } from '../harness/verdicts.ts';
import { AccessScene, type Someone } from './decisions-scene.ts';
import { makeDocuments } from './records-documents.ts';

const COUNT = 512;
const DEPTH = 3;
const OTHER_RULES = 8;
const BATCHES = 100;
const BATCH_SIZE = 2000;
const READY_WAIT_MS = 10_000;

const ENTRY = 'a request let in: key, rules and decision';
const BY_ROLE = 'the decision alone, a role allows it';
const BY_RULE = `the decision alone, a rule of the outermost of ${DEPTH} folders allows it`;

/** What a decision takes once the key and the rules are in memory: the product's own gate, in this process. */
export async function measureGate(stage: Stage): Promise<Table> {
  const server = await QuasarServer.open(stage);
  const scene = new AccessScene(server, stage.closer);
  const reader = await scene.someone('reader', ['reader']);
  const guest = await scene.someone('guest', []);
  const documents = (await makeRuled(server, scene, guest)) as DocumentId[];
  const gate = await openOwnGate(stage, server);
  const candidates = [
    await entering(gate, reader, documents),
    await deciding(gate, { name: BY_ROLE, someone: reader, documents }),
    await deciding(gate, { name: BY_RULE, someone: guest, documents }),
  ];
  const { rows, notes } = await measureInRounds(stage, candidates, {
    runs: stage.runs,
    smallerIsBetter: true,
    settle: async () => undefined,
  });
  return {
    title: 'when cached',
    unit: 'µs',
    rows,
    verdicts: candidates.flatMap(({ name }) => figureOf(rows, name, { unit: 'µs', promise: { atMost: 50 } })),
    notes: [
      ...notes,
      `Each figure of a round is the median of ${BATCHES} batches of ${BATCH_SIZE.toLocaleString('en')} calls, over ${COUNT} documents in turn, ${DEPTH} folders deep, with ${OTHER_RULES} rules about others on each folder.`,
    ],
  };
}

/** Documents that the guest may read by a group's rule on the outermost folder. */
async function makeRuled(server: QuasarServer, scene: AccessScene, guest: Someone): Promise<string[]> {
  const groups = [];
  for (let index = 0; index < OTHER_RULES; index += 1) groups.push(await scene.group(`others ${index}`, []));
  const guests = await scene.group('guests', [guest]);
  const folders = await scene.foldersWithin(DEPTH);
  for (const [level, folder] of folders.entries()) await scene.allowReading(folder, level === 0 ? [...groups, guests] : groups);
  return makeDocuments(server, { prefix: 'ruled-', count: COUNT, query: `&folder=${folders.at(-1)}` });
}

/** Over the server's database, put together as the server does. */
async function openOwnGate(stage: Stage, server: QuasarServer): Promise<AccessGate> {
  const { config } = await readConfig({ flags: { data: server.dataFolder } });
  const place = databaseOf(server);
  const pool = new PostgresPool({ ...place, prepares: true });
  stage.closer.push('pool of the gate', () => pool.close());
  const database = { pool, listenTarget: place, place: place.database, close: () => pool.close() };
  const pepper = await readSecret({ directory: config.secretsDirectory, name: 'api-key-pepper' });
  const { orgId } = await findLocalScope(pool);
  const own = {
    config,
    database,
    pepper,
    writer: new EventWriter(pool),
    operatorOrgId: orgId,
    clock: systemClock,
    log: silentLog,
  };
  return openGate(own, stage.closer as Parameters<typeof openGate>[1]);
}

async function entering(gate: AccessGate, someone: Someone, documents: readonly DocumentId[]): Promise<Candidate> {
  const exchange = exchangeOf(someone);
  const access = onDocument('doc.read');
  const params = documents.map((documentId) => ({ documentId }));
  return inMemory(ENTRY, (index) => gate.enter(exchange, access, params[index % COUNT] as { documentId: string }));
}

async function deciding(
  gate: AccessGate,
  wish: { readonly name: string; readonly someone: Someone; readonly documents: readonly DocumentId[] },
): Promise<Candidate> {
  const { name, someone, documents } = wish;
  const caller: Caller = await gate.enter(exchangeOf(someone), member, {});
  const things = documents.map((documentId) => ({ kind: 'document', documentId }) as const);
  return inMemory(name, (index) =>
    gate.require(caller, things[index % COUNT] as { kind: 'document'; documentId: DocumentId }, 'doc.read'),
  );
}

/** A candidate whose work answers without a promise: once it has been asked about everything, it is in memory. */
async function inMemory(name: string, work: (index: number) => unknown): Promise<Candidate> {
  const began = systemClock.monotonic();
  for (let promised = COUNT; promised > 0; ) {
    if (systemClock.monotonic() - began > READY_WAIT_MS) throw new Error(`${name}: ${promised} decisions are not kept in memory`);
    promised = 0;
    for (let index = 0; index < COUNT; index += 1) {
      const answer = work(index);
      if (!(answer instanceof Promise)) continue;
      promised += 1;
      await answer;
    }
    // The gate keeps nothing until it hears of changes.
    if (promised > 0) await sleep(10);
  }
  return {
    name,
    role: 'quasar',
    run: async () => runBatches(name, work),
  };
}

function runBatches(name: string, work: (index: number) => unknown): Sample {
  const microseconds: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const began = systemClock.monotonic();
    for (let index = 0; index < BATCH_SIZE; index += 1) {
      if (work(index) instanceof Promise) throw new Error(`${name}: a decision was not in memory`);
    }
    microseconds.push(((systemClock.monotonic() - began) * 1000) / BATCH_SIZE);
  }
  return { value: median(microseconds) };
}

/** As much of a request as the gate looks at. */
function exchangeOf({ authorization }: Someone): Exchange {
  const asked = {
    method: 'GET',
    requestId: 'bench',
    bodySize: 0,
    header: (name: string) => (name === 'authorization' ? authorization : undefined),
  };
  return asked as unknown as Exchange;
}
