import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ask } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';
import { openProductDatabase } from '../helpers/product-database.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { runCommand } from '../unit/cli/run-command.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const folder = temporaryFolder(t);
const product = await Product.start();
t.teardown(() => product.destroy());
const owner = await openProductDatabase(product);
t.teardown(() => owner.close());

/** As migrations/000010-audit.sql has it. */
const SEQUENCER_LOCK = '8175547846745022837';

const logKey = join(folder, 'log.key');
const kept = join(folder, 'kept.txt');
const older = join(folder, 'older.txt');

interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command against the server. */
async function quasar(...line: readonly string[]): Promise<Told> {
  const { code, stdout, stderr } = await runCommand(line, { url: product.url, keyFile: product.keyFile });
  return { code, stdout: stdout.toString(), stderr };
}

/** A command as a process of its own, which knows of no server. */
function quasarAlone(...line: readonly string[]): Promise<Told> {
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...line], { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}

/** Exports the log and verifies it off line, with a checkpoint that was kept. */
async function verdict(checkpoint = kept) {
  const exported = await quasar('audit', 'export', join(folder, 'log.ndjson'));
  if (exported.code !== 0) throw new Error(exported.stderr);
  return quasarAlone('audit', 'verify', 'log.ndjson', '--key', logKey, '--checkpoint', checkpoint);
}

/** What the owner of the database does to it, while no sequencer writes. */
async function asOwner(...statements: readonly string[]): Promise<void> {
  await owner.query(`BEGIN; SELECT pg_advisory_xact_lock(${SEQUENCER_LOCK}); ${statements.join('; ')}; COMMIT`);
}

async function upload(requestId: string): Promise<void> {
  const { status, text } = await ask(product, 'POST', '/v1/documents', {
    body: requestId,
    headers: { 'x-request-id': requestId },
  });
  if (status !== 201) throw new Error(text);
}

/** Makes events until a head over at least `size` of them is signed, and returns how many it covers. */
async function growTo(size: number): Promise<number> {
  for (let count = 0; ; count++) {
    const { status, text } = await ask(product, 'GET', '/v1/audit/checkpoint');
    const signed = status === 200 ? Number(text.split('\n')[1]) : 0;
    if (signed >= size) return signed;
    await upload(`r-${size}-${count}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const sizeIn = (file: string) => Number(readFileSync(file, 'utf8').split('\n')[1]);
const place = (leaf: number) => `SELECT l.xid, l.seq FROM audit.leaf l WHERE l.leaf = ${leaf}`;

writeFileSync(logKey, (await quasar('audit', 'key')).stdout);
await growTo(10);

t.test('a log nobody touched is whole, by its key alone and by heads that were kept', async (t) => {
  t.match(await quasar('audit', 'checkpoint', '--keep', older, '--key', logKey), {
    code: 0,
  });
  await growTo(sizeIn(older) + 10);
  const again = await quasar('audit', 'checkpoint', '--keep', kept, '--key', logKey);
  t.match(again, { code: 0 });
  t.match(await verdict(), { code: 0, stdout: / is whole: \d+ events, \d+ of them signed, root / });
  const heads = ['--checkpoint', kept, '--checkpoint', older];
  const both = await quasarAlone('audit', 'verify', 'log.ndjson', '--key', logKey, ...heads, '--json');
  t.match(JSON.parse(both.stdout), { ok: true, findingCount: 0 });
  const inline = readFileSync(logKey, 'utf8').trim();
  t.match(await quasarAlone('audit', 'verify', 'log.ndjson', '--key', inline), { code: 0 });
  t.match(await quasarAlone('audit', 'verify', 'log.ndjson'), { code: 2, stderr: /--key is missing/ });
  t.match(await quasarAlone('audit', 'verify', 'none.ndjson', '--key', inline), {
    code: 2,
    stderr: /none\.ndjson: It does not exist/,
  });
});

t.test('an export that was cut, or changed on its way, is found', async (t) => {
  const text = readFileSync(join(folder, 'log.ndjson'), 'utf8');
  writeFileSync(join(folder, 'cut.ndjson'), text.slice(0, text.length / 2));
  const cut = await quasarAlone('audit', 'verify', 'cut.ndjson', '--key', logKey, '--checkpoint', kept);
  t.match(cut, { code: 6, stdout: /deleted-tail|bad-line/ });
  writeFileSync(join(folder, 'changed.ndjson'), text.replace('document.create', 'document.movers'));
  const changed = await quasarAlone('audit', 'verify', 'changed.ndjson', '--key', logKey);
  t.match(changed, { code: 6, stdout: /not-an-event|edited-event/ });
});

t.test('an event is proved, and no other in its place', async (t) => {
  t.match(await quasar('audit', 'proof', '3', '--key', logKey), {
    code: 0,
    stdout: /is in the log of \d+ events with the root /,
  });
  const { stdout } = await quasar('audit', 'proof', '3', '--key', logKey, '--json');
  t.match(JSON.parse(stdout), { leaf: 3, proof: Array, event: { v: 2 }, checkpoint: /^quasar\// });
  t.match(await quasar('audit', 'proof', '999999'), { code: 3 });
  t.match(await quasar('audit', 'proof', 'x'), { code: 2 });
});

t.test('a row that was edited is found, and the event is not proved any more', async (t) => {
  const was = await owner.query<{ bytes: Buffer }>(`SELECT bytes FROM audit.event WHERE (xid, seq) IN (${place(5)})`);
  const bytes = was.rows[0]?.bytes as Buffer;
  const edited = Buffer.from(bytes.toString().replace('"outcome":"allowed"', '"outcome":"denied"'));
  const edit = `UPDATE audit.event SET bytes = $1 WHERE (xid, seq) IN (${place(5)})`;
  await owner.query(edit, [edited]);
  t.match(await verdict(), { code: 6, stdout: /edited-event: Event 5 was edited/ });
  t.match(await quasar('audit', 'proof', '5', '--key', logKey), { code: 6, stderr: /is not in the signed log/ });
  await owner.query(edit, [bytes]);
  t.match(await verdict(), { code: 0 });
});

t.test('two events that changed places are found', async (t) => {
  const move = (from: number, to: number) => `UPDATE audit.leaf SET leaf = ${to} WHERE leaf = ${from}`;
  const swap = () => asOwner(move(4, 999_999), move(6, 4), move(999_999, 6));
  await swap();
  t.match(await verdict(), { code: 6, stdout: /reordered-pair: Events 4 and 6 have changed places/ });
  await swap();
  t.match(await verdict(), { code: 0 });
});

t.test('a tail that was deleted with its checkpoints is found by who kept one', async (t) => {
  const size = sizeIn(older);
  await asOwner(
    `DELETE FROM audit.event e USING audit.leaf l WHERE l.leaf >= ${size} AND e.xid = l.xid AND e.seq = l.seq`,
    `DELETE FROM audit.leaf WHERE leaf >= ${size}`,
    `DELETE FROM audit.subtree WHERE (index + 1) * (1::bigint << level) > ${size}`,
    `DELETE FROM audit.checkpoint WHERE size > ${size}`,
  );
  t.match(await verdict(older), { code: 0 }, 'nobody could know without the newer one');
  t.match(await verdict(), { code: 6, stdout: /deleted-tail/ });
  t.match(await quasar('audit', 'checkpoint', '--keep', kept), { code: 6, stderr: /has become shorter/ });
});

t.test('another history with the right key is found by who kept a checkpoint', async (t) => {
  const size = sizeIn(kept);
  await growTo(size + 1);
  t.match(await verdict(older), { code: 0 }, 'in itself it is whole');
  t.match(await verdict(), { code: 6, stdout: /forked-log/ });
  const head = readFileSync(kept, 'utf8');
  t.match(await quasar('audit', 'checkpoint', '--keep', kept), { code: 6, stderr: /does not continue the one of/ });
  t.equal(readFileSync(kept, 'utf8'), head, 'the kept one stays');
});

t.test('the log is listed, and followed until it is interrupted', async (t) => {
  await upload('r-listed');
  const env = { ...process.env, QUASAR_URL: product.url, QUASAR_KEY_FILE: product.keyFile };
  const tail = spawn(process.execPath, [MAIN, 'audit', 'tail', '--lines', '2', '--action', 'document.create', '--json'], { env });
  let printed = '';
  tail.stdout.on('data', (text) => {
    printed += text;
  });
  const exit = once(tail, 'exit');
  while (printed === '' && tail.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  await upload('r-followed');
  while (!printed.includes('r-followed') && tail.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  tail.kill('SIGINT');
  t.same(await exit, [0, null]);
  const items = printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { leaf: number });
  t.same(
    items.map(({ leaf }) => leaf),
    items.map(({ leaf }) => leaf).sort((a, b) => a - b),
    'oldest first',
  );
  t.equal(new Set(items.map(({ leaf }) => leaf)).size, items.length, 'each once');
  const listed = await quasar('audit', 'ls', '--action', 'document.create', '--limit', '1');
  t.match(listed, { code: 0, stdout: /^\d+ {2}\S+ {2}document\.create .* request r-followed\n$/ });
});
