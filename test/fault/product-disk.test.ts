import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { sha256 } from '../helpers/bytes.ts';
import { readEverything, resumeSessions } from '../helpers/drill-check.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { openDice } from '../helpers/drill-dice.ts';
import { SmallDisk } from '../helpers/drill-disk.ts';
import { ask, call, callJson, type DrillServer, metricOf } from '../helpers/drill-http.ts';
import { bytesOf, type KnownSession, makeContent, Oracle } from '../helpers/drill-oracle.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const DISK_SIZE = 320 * MiB;

/** The config folder holds the secrets too, so a second start takes the same one. */
async function startOn(t: Test, disk: SmallDisk, floor: string, folder = temporaryFolder(t)): Promise<Product> {
  const config = writeConfig(folder, {
    'storage.conf': ['segmentSize = 64MiB', 'spareSegments = 0', 'freeSpaceFloor { ratio = 0', `bytes = ${floor} }`],
  });
  const product = await Product.start({ data: join(disk.folder, 'data'), config });
  t.teardown(() => product.destroy());
  return product;
}

async function store(server: DrillServer, oracle: Oracle, seed: number, size: number): Promise<number> {
  const content = makeContent(seed, size);
  const answer = await ask(server, { method: 'POST', path: '/v1/documents', body: bytesOf(content) });
  if (answer?.status === 201) {
    const { documentId, versionId } = answer.json as { documentId: string; versionId: string };
    oracle.acknowledge({ documentId, versionId, content });
  } else if (answer !== undefined && !(answer.status === 507 && answer.code === 'storage_full')) {
    oracle.fault(`an upload was answered ${answer.status} ${answer.code}`);
  }
  return answer?.status ?? 0;
}

async function openSession(server: DrillServer, oracle: Oracle, seed: number, size: number): Promise<KnownSession> {
  const content = makeContent(seed, size);
  const { uploadId, documentId } = (await callJson(server, 'POST', '/v1/documents', { size })).json as Record<string, string>;
  const session = { uploadId: uploadId as string, documentId: documentId as string, content, promised: 0, sent: 0 };
  oracle.sessions.set(session.uploadId, session);
  return session;
}

async function append(server: DrillServer, oracle: Oracle, session: KnownSession, size: number): Promise<number> {
  const { uploadId, content, promised } = session;
  session.sent = Math.min(content.size, promised + size);
  const answer = await ask(server, {
    method: 'PUT',
    path: `/v1/uploads/${uploadId}/bytes`,
    headers: { 'upload-offset': String(promised) },
    body: bytesOf(content).subarray(promised, session.sent),
  });
  if (answer?.status === 204) oracle.promise(session, Number(answer.headers['upload-offset']), 'append');
  else if (answer !== undefined && answer.status !== 507) oracle.fault(`an append was answered ${answer.status} ${answer.code}`);
  return answer?.status ?? 0;
}

/** Asks until the free space has been looked at again. */
async function untilDegraded(server: DrillServer): Promise<Awaited<ReturnType<typeof call>>> {
  for (;;) {
    const answer = await call(server, { path: '/v1/ready' });
    if (answer.json.status === 'degraded') return answer;
    await sleep(50);
  }
}

/** Tries until an upload is taken again; the free space is looked at now and then. */
async function untilUploadsWork(server: DrillServer, oracle: Oracle): Promise<void> {
  while ((await store(server, oracle, 900, 10 * KiB)) !== 201) await sleep(50);
}

t.test('a disk that fills up in the middle of uploads costs nothing that was acknowledged', async (t) => {
  const dice = openDice((line) => t.comment(line));
  const disk = SmallDisk.mount(t, DISK_SIZE);
  const product = await startOn(t, disk, '1MiB');
  const databasePid = await product.databasePid();
  const oracle = new Oracle();
  for (let seed = 1; seed <= 10; seed++) await store(product, oracle, seed, dice.int(1, 3 * MiB));
  const sessions = await Promise.all(Array.from({ length: 3 }, (_, n) => openSession(product, oracle, 100 + n, 40 * MiB)));

  // Uploads of every kind at work; halfway another program takes what room there is.
  const statuses: number[] = [];
  const uploads = [
    ...sessions.map(async (session) => {
      while (session.promised < session.content.size) {
        const status = await append(product, oracle, session, 4 * MiB);
        statuses.push(status);
        if (status !== 204) return;
      }
    }),
    ...[200, 300, 400].map(async (first) => {
      for (let seed = first; ; seed++) {
        const status = await store(product, oracle, seed, first === 400 ? 20 * KiB : 3 * MiB);
        statuses.push(status);
        if (status !== 201) return;
      }
    }),
  ];
  await sleep(150);
  await disk.fill();
  await Promise.all(uploads);
  t.ok(statuses.includes(507), 'clients were told that the disk is full');

  // A batch that failed halfway gives back what it had taken.
  await disk.fill();
  const full = await untilDegraded(product);
  t.match([full.status, full.json], [200, { status: 'degraded', dependencies: { disk: { ok: false }, graviton: { ok: true } } }]);
  for (const { versionId, documentId, content } of [...oracle.versions.values()].slice(0, 20)) {
    const read = await call(product, { path: `/v1/documents/${documentId}/content?version=${versionId}` });
    // Without a byte left not even the database has room for who reads what.
    if (read.status === 200) t.equal(sha256(read.body), content.sha256, 'what is read is right');
    else t.match([read.status, read.code], [503, 'audit_unavailable'], 'and nothing is read that cannot be noted');
  }
  t.match(product.output, /The disk is full\.|Less space is free than the floor/, 'the log says so');

  disk.relieve();
  await untilUploadsWork(product, oracle);
  await resumeSessions(product, oracle, dice, 0);
  await readEverything(product, oracle);
  t.same(oracle.faults, []);
  t.equal(await product.databasePid(), databasePid, 'the database lived through it');
  t.match((await call(product, { path: '/v1/ready' })).json, { status: 'ready' });
  t.equal(await product.stop(), 0);
});

t.test('a start on a nearly full disk reads, refuses uploads, and takes them when there is room again', async (t) => {
  const dice = openDice((line) => t.comment(line));
  const disk = SmallDisk.mount(t, DISK_SIZE);
  const folder = temporaryFolder(t);
  const product = await startOn(t, disk, '1MiB', folder);
  const oracle = new Oracle();
  for (let seed = 1; seed <= 5; seed++) await store(product, oracle, seed, 2 * MiB);
  const session = await openSession(product, oracle, 50, 8 * MiB);
  await append(product, oracle, session, 3 * MiB + 17);
  await product.kill();
  // PostgreSQL recovers from its own crash then, and may need another file of 16 MiB for its log.
  await disk.fill(24 * MiB);
  const again = await startOn(t, disk, '64MiB', folder);
  await readEverything(again, oracle);
  t.equal(await store(again, oracle, 6, MiB), 507);
  disk.relieve();
  await untilUploadsWork(again, oracle);
  await resumeSessions(again, oracle, dice, 0);
  await readEverything(again, oracle);
  t.same(oracle.faults, []);
});

t.test('below the floor new uploads are refused, what is complete is finalised, and reads go on', async (t) => {
  const disk = SmallDisk.mount(t, DISK_SIZE);
  const product = await startOn(t, disk, '128MiB');
  const oracle = new Oracle();
  await store(product, oracle, 1, 2 * MiB);
  const complete = await openSession(product, oracle, 2, 3 * MiB + 100);
  t.equal(await append(product, oracle, complete, complete.content.size), 204);
  const half = await openSession(product, oracle, 3, 8 * MiB);
  t.equal(await append(product, oracle, half, 3 * MiB + 5), 204);

  await disk.fill(100 * MiB);
  while ((await store(product, oracle, 4, 10)) === 201) await sleep(50);
  const refused = await call(product, { method: 'POST', path: '/v1/documents', body: 'more' });
  t.match([refused.status, refused.json], [507, { code: 'storage_full', details: { floorBytes: 128 * MiB } }]);
  t.equal(await append(product, oracle, half, MiB), 507);
  const path = `/v1/uploads/${complete.uploadId}/finalize`;
  const done = await callJson(product, 'POST', path, { digests: { sha256: complete.content.sha256 } });
  t.equal(done.status, 201, 'all its bytes are there');
  const read = await call(product, { path: `/v1/documents/${done.json.documentId}/content` });
  t.equal(sha256(read.body), complete.content.sha256);
  t.match((await call(product, { path: '/v1/ready' })).json, { status: 'degraded', dependencies: { disk: { ok: false } } });

  disk.relieve();
  await untilUploadsWork(product, oracle);
  oracle.sessions.delete(complete.uploadId);
  await resumeSessions(
    product,
    oracle,
    openDice((line) => t.comment(line)),
    0,
  );
  await readEverything(product, oracle);
  t.same(oracle.faults, []);
});

t.test('one upload larger than the disk is stopped while the database still has room', async (t) => {
  const disk = SmallDisk.mount(t, DISK_SIZE);
  const product = await startOn(t, disk, '128MiB');
  const oracle = new Oracle();
  const session = await openSession(product, oracle, 5, DISK_SIZE);
  t.equal(await append(product, oracle, session, DISK_SIZE), 507);
  t.ok((await metricOf(product, 'quasar_disk_free_bytes')) > 32 * MiB, 'most of what the floor keeps is left');
  const offset = Number(
    (await call(product, { method: 'HEAD', path: `/v1/uploads/${session.uploadId}` })).headers['upload-offset'],
  );
  t.ok(offset > 0, 'what fitted is kept');
  t.equal((await call(product, { method: 'DELETE', path: `/v1/uploads/${session.uploadId}` })).status, 204);
  t.same(oracle.faults, []);
});
