import { systemClock } from '../../src/core/clock.ts';
import type { DocumentId, VersionId } from '../../src/core/ids.ts';
import { BarePostgres, databaseOf } from '../harness/bare-postgres.ts';
import { fetchSample } from '../harness/fetching.ts';
import { HttpAsker, inTurns } from '../harness/http-asker.ts';
import { fetchRequests } from '../harness/native-programs.ts';
import { QuasarServer } from '../harness/quasar-server.ts';
import { edgeNames } from '../harness/quasar-store.ts';
import type { Sample, Table } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Stage } from '../harness/stage.ts';
import { percentile } from '../harness/statistics.ts';
import { ratio } from '../harness/verdicts.ts';
import { BareRecords } from './records-bare.ts';
import { makeDocuments } from './records-documents.ts';
import { metadataHeader, metadataPath, registerSchema } from './records-filing.ts';

const CONNECTIONS = 16;
/** For each side: neither knows what the other changes. */
const COUNT = 3200;
const READ_SECONDS = 2;
const BARE = 'bare PostgreSQL client, the same statements';
const QUASAR = edgeNames.net;

interface Sides {
  readonly server: QuasarServer;
  readonly askers: readonly HttpAsker[];
  readonly documents: readonly string[];
  readonly bare: readonly BareRecords[];
  readonly bareDocuments: readonly DocumentId[];
}

/** What Quasar takes beyond its own statements, against the same database server. */
export async function measureStatements(stage: Stage): Promise<Table[]> {
  const sides = await openSides(stage);
  const patch = await openPatcher(sides);
  const barePatch = barePatcher(sides);
  // Once unmeasured, so that the code of both is compiled.
  await patch();
  await barePatch();
  return [await measureReads(stage, sides), await measurePatches(stage, sides.server, { patch, barePatch })];
}

async function openSides(stage: Stage): Promise<Sides> {
  const server = await QuasarServer.open(stage);
  const askers = HttpAsker.open(server, CONNECTIONS, stage.closer);
  await registerSchema(askers[0] as HttpAsker);
  const wish = { count: COUNT, headers: metadataHeader };
  const documents = await makeDocuments(server, { prefix: 'asked-', ...wish });
  const bareDocuments = (await makeDocuments(server, { prefix: 'bare-', ...wish })) as DocumentId[];
  const connections = await BarePostgres.open(databaseOf(server), CONNECTIONS, stage.closer);
  const bare = await Promise.all(connections.map((connection) => BareRecords.open(connection)));
  return { server, askers, documents, bare, bareDocuments };
}

async function measureReads(stage: Stage, sides: Sides): Promise<Table> {
  const { server } = sides;
  const quasar: Candidate = {
    name: QUASAR,
    role: 'quasar',
    pid: () => server.pid,
    // The first read of a version is noted in the audit log, those of the next five minutes are counted.
    prepare: () => readThrough(sides),
    run: () => quasarReads(sides),
  };
  const versions = await currentVersions(sides);
  const bare: Candidate = { name: BARE, role: 'peer', run: () => bareReads(sides, versions) };
  const { rows, notes } = await measureInRounds(stage, [quasar, bare], { runs: stage.runs });
  return {
    title: `reads of one namespace, ${CONNECTIONS} connections`,
    unit: 'requests/s',
    rows,
    verdicts: ratio(rows, {
      ours: QUASAR,
      others: [BARE],
      pick: 'fastest',
      subject: 'of the statements alone',
      promise: { atLeast: 0.5 },
    }),
    notes: [
      ...notes,
      `Of ${COUNT.toLocaleString('en')} documents that were read within the last five minutes: the server has what they say in memory, since it never changes, and takes no statement; the bare client takes one.`,
    ],
  };
}

async function measurePatches(
  stage: Stage,
  server: QuasarServer,
  { patch, barePatch }: { readonly patch: () => Promise<Sample>; readonly barePatch: () => Promise<Sample> },
): Promise<Table> {
  // The first measured one must not find in Quasar's memory what the reads left there.
  await patch();
  const candidates: Candidate[] = [
    { name: QUASAR, role: 'quasar', pid: () => server.pid, run: patch },
    { name: BARE, role: 'peer', run: barePatch },
  ];
  const { rows, notes } = await measureInRounds(stage, candidates, { runs: stage.runs });
  return {
    title: `JSON Patches of one namespace, ${CONNECTIONS} connections`,
    unit: 'requests/s',
    rows,
    verdicts: ratio(rows, {
      ours: QUASAR,
      others: [BARE],
      pick: 'fastest',
      subject: 'of the statements alone',
      promise: { atLeast: 0.5 },
    }),
    notes: [
      ...notes,
      `Each of a document of its own, ${COUNT.toLocaleString('en')} in a round: three statements each, the last of which commits version, metadata and audit event.`,
    ],
  };
}

/** Each document once. */
async function readThrough(sides: Sides): Promise<void> {
  const { requests, statuses } = await fetchRequests({ ...readsOf(sides), repeat: COUNT / CONNECTIONS });
  if (requests !== COUNT) throw new Error(`${requests} of ${COUNT} reads were answered: ${JSON.stringify(statuses)}`);
}

function readsOf({ server: { port, headers }, documents }: Sides) {
  return { port, requests: { method: 'GET', paths: documents.map(metadataPath), headers }, connections: CONNECTIONS } as const;
}

async function currentVersions({ bare, bareDocuments }: Sides): Promise<VersionId[]> {
  const versions: VersionId[] = [];
  await inTurns(bare, COUNT, async (each, index) => {
    versions[index] = await each.currentVersion(bareDocuments[index] as DocumentId);
  });
  return versions;
}

/** Without its bytes: CPU time a gigabyte says nothing about answers this small. */
async function quasarReads(sides: Sides): Promise<Sample> {
  const load = { ...readsOf(sides), seconds: READ_SECONDS };
  const { bytes: _, ...sample } = await fetchSample(load, ({ requestsPerSecond }) => requestsPerSecond);
  return sample;
}

async function bareReads({ bare, bareDocuments }: Sides, versions: readonly VersionId[]): Promise<Sample> {
  const until = systemClock.monotonic() + READ_SECONDS * 1000;
  let next = 0;
  return timed(async (latencies) => {
    const one = async (each: BareRecords) => {
      for (let began = systemClock.monotonic(); began < until; began = systemClock.monotonic()) {
        const index = next++ % COUNT;
        await each.read(bareDocuments[index] as DocumentId, versions[index] as VersionId);
        latencies.push(systemClock.monotonic() - began);
      }
    };
    await Promise.all(bare.map(one));
  });
}

/**
 * Each document once, against the entry that the answer to its last patch named. A patch makes Quasar forget the version, so
 * that the next one asks the database for it, as the bare client does.
 */
async function openPatcher({ askers, documents }: Sides): Promise<() => Promise<Sample>> {
  const etags: string[] = [];
  await inTurns(askers, COUNT, async (asker, index) => {
    const { headers } = await asker.expect(200, { method: 'GET', path: metadataPath(documents[index] as string) });
    etags[index] = etagOf(headers);
  });
  const type = { 'content-type': 'application/json-patch+json' };
  return () =>
    timed((latencies) =>
      inTurns(askers, COUNT, async (asker, index) => {
        const path = `${metadataPath(documents[index] as string)}/patch`;
        const json = [{ op: 'replace', path: '/title', value: titleOf(index) }];
        const told = await asker.expect(200, {
          ...{ method: 'POST', path, json },
          headers: { ...type, 'if-match': etags[index] as string },
        });
        etags[index] = etagOf(told.headers);
        latencies.push(told.ms);
      }),
    );
}

function etagOf(headers: ReadonlyMap<string, string>): string {
  const etag = headers.get('etag');
  if (etag === undefined) throw new Error('an answer has no ETag');
  return etag;
}

function barePatcher({ bare, bareDocuments }: Sides): () => Promise<Sample> {
  return () =>
    timed((latencies) =>
      inTurns(bare, COUNT, async (each, index) => {
        const began = systemClock.monotonic();
        await each.patch(bareDocuments[index] as DocumentId, titleOf(index));
        latencies.push(systemClock.monotonic() - began);
      }),
    );
}

/** Another one each time. */
function titleOf(index: number): string {
  return `Statement of claim ${index}, as of ${systemClock.now()}`;
}

async function timed(work: (latencies: number[]) => Promise<void>): Promise<Sample> {
  const latencies: number[] = [];
  const began = systemClock.monotonic();
  await work(latencies);
  const seconds = (systemClock.monotonic() - began) / 1000;
  latencies.sort((left, right) => left - right);
  return { value: latencies.length / seconds, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}
