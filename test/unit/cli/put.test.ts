import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { QuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { ContractServer, sha256 } from './contract-server.ts';
import { runCommand } from './run-command.ts';

const MiB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'quasar-put-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const big = randomBytes(limits.putOneShotMax + 3 * MiB + 17);
const bigPath = join(folder, 'big.bin');
writeFileSync(bigPath, big);

async function server(test: { teardown(close: () => Promise<void>): void }): Promise<ContractServer> {
  const contract = await ContractServer.start();
  test.teardown(() => contract.close());
  return contract;
}

function file(name: string, bytes: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

t.test('a small file goes in one request, with its name, type and digest', async (t) => {
  const contract = await server(t);
  const path = file('Akte "Müller" 50 %.pdf', 'paper');
  const { code, json, stderr } = await runCommand(['put', path, '--json'], { url: contract.url });
  t.equal(code, 0);
  const [stored] = [...contract.documents.values()];
  t.equal(stored?.bytes.toString(), 'paper');
  t.equal(stored?.filename, 'Akte "Müller" 50 %.pdf');
  t.equal(stored?.contentType, 'application/pdf');
  t.equal(contract.requests.length, 1);
  t.equal(
    contract.requests[0]?.headers['repr-digest'],
    `sha-256=:${Buffer.from(sha256(Buffer.from('paper')), 'hex').toString('base64')}:`,
  );
  t.match(json, [
    {
      file: path,
      documentId: stored?.documentId,
      size: 5,
      sha256: sha256(Buffer.from('paper')),
      durability: 'fsync;nodes=1',
      fresh: true,
    },
  ]);
  t.match(Object.keys(json[0] ?? {}).sort(), [
    'documentId',
    'durability',
    'file',
    'fresh',
    'key',
    'ms',
    'sha256',
    'size',
    'versionId',
  ]);
  t.match(stderr, /^1 file stored; 5 B in .*durable: fsync;nodes=1\n$/);
});

t.test('an empty file, and one of unknown type, are stored without a media type of ours', async (t) => {
  const contract = await server(t);
  const { code } = await runCommand(['put', file('empty', ''), file('x.unknown', 'x')], { url: contract.url });
  t.equal(code, 0);
  t.same([...contract.documents.values()].map((one) => [one.filename, one.contentType, one.bytes.length]).sort(), [
    ['empty', undefined, 0],
    ['x.unknown', undefined, 1],
  ]);
});

t.test('a JSON file goes through a session, which is the only way the contract takes one', async (t) => {
  const contract = await server(t);
  const { code } = await runCommand(['put', file('facts.json', '{"a":1}')], { url: contract.url });
  t.equal(code, 0);
  t.equal([...contract.documents.values()][0]?.bytes.toString(), '{"a":1}');
  t.equal(contract.countOf('PUT', /bytes$/), 1);
});

t.test('a large file is continued where a broken connection left it, any number of times while it advances', async (t) => {
  const contract = await server(t);
  const cuts = Array.from({ length: limits.clientAttemptsMax + 2 }, (_, index) => 100_000 + index);
  contract.faults.cutUploadsAfter.push(...cuts);
  const { code, json, waits } = await runCommand(['put', bigPath, '--json'], { url: contract.url });
  t.equal(code, 0);
  t.equal(json[0]?.sha256, sha256(big));
  t.ok([...contract.documents.values()][0]?.bytes.equals(big));
  t.equal(waits.length, cuts.length);
  t.equal(contract.countOf('HEAD', /uploads/), cuts.length);
});

t.test('a transfer that never advances is given up after a bounded number of attempts', async (t) => {
  const contract = await server(t);
  contract.faults.cutUploadsAfter.push(...Array.from({ length: 50 }, () => 0));
  const { code, waits, stderr } = await runCommand(['put', bigPath], { url: contract.url });
  t.equal(code, 5);
  t.equal(waits.length, limits.clientAttemptsMax - 1);
  t.match(stderr, /big\.bin: The connection to .* broke/);
  t.match(stderr, /0 files stored, 1 failed/);
});

t.test('a wrong offset is corrected from the 409 itself', async (t) => {
  const contract = await server(t);
  contract.faults.cutUploadsAfter.push(MiB);
  contract.faults.lieAhead.push(4096);
  const { code, json } = await runCommand(['put', bigPath, '--json'], { url: contract.url });
  t.equal(code, 0);
  t.equal(json[0]?.sha256, sha256(big));
  t.equal(contract.countOf('HEAD', /uploads/), 1);
  t.equal(contract.countOf('PUT', /bytes$/), 3);
});

t.test('a busy server is asked again after the time it named', async (t) => {
  const contract = await server(t);
  contract.faults.refuse.push({ method: 'POST', path: /documents$/, status: 503, code: 'too_many_uploads', retryAfter: '3' });
  contract.faults.refuse.push({ method: 'POST', path: /finalize$/, status: 503, code: 'database_unavailable' });
  const { code, waits } = await runCommand(['put', bigPath], { url: contract.url });
  t.equal(code, 0);
  t.equal(waits.length, 2);
  t.ok((waits[0] as number) >= 3000, 'at least Retry-After');
});

t.test('a full disk is final: exit code 5, no retry', async (t) => {
  const contract = await server(t);
  contract.faults.refuse.push({ method: 'PUT', path: /bytes$/, status: 507, code: 'storage_full' });
  const { code, waits, json } = await runCommand(['put', bigPath, '--json'], { url: contract.url });
  t.equal(code, 5);
  t.same(waits, []);
  t.match(json, [{ file: bigPath, error: { code: 'storage_full', details: { status: 507, requestId: 'r-1' } } }]);
});

t.test("a second run of the same command continues the first one's upload, and a third sends nothing", async (t) => {
  const contract = await server(t);
  contract.faults.cutUploadsAfter.push(5 * MiB, ...Array.from({ length: 20 }, () => 0));
  t.equal((await runCommand(['put', bigPath], { url: contract.url })).code, 5);
  contract.faults.cutUploadsAfter.length = 0;
  contract.requests.length = 0;

  const second = await runCommand(['put', bigPath, '--json'], { url: contract.url });
  t.equal(second.code, 0);
  t.equal(second.json[0]?.sha256, sha256(big));
  t.match(second.stderr, /big\.bin: the server holds 5,242,880 bytes; continuing there\n/);
  t.equal(contract.requests.find(({ method }) => method === 'PUT')?.headers['upload-offset'], String(5 * MiB));

  contract.requests.length = 0;
  const third = await runCommand(['put', bigPath, '--json'], { url: contract.url });
  t.match(third.json, [{ fresh: false, documentId: second.json[0]?.documentId, versionId: second.json[0]?.versionId }]);
  t.equal(contract.countOf('PUT', /bytes$/), 0);
  t.match(third.stderr, /0 files stored, 1 already present/);

  const again = await runCommand(['put', bigPath, '--json', '--again'], { url: contract.url });
  t.not(again.json[0]?.documentId, second.json[0]?.documentId, '--again makes a new document');
});

t.test('digests that differ in the end are damage: exit code 6', async (t) => {
  const contract = await server(t);
  contract.faults.sha256 = 'ab'.repeat(32);
  const { code, stderr } = await runCommand(['put', bigPath, file('small.txt', 'small')], { url: contract.url });
  t.equal(code, 6);
  t.match(stderr, /the SHA-256 differs/);

  contract.faults.sha256 = undefined;
  contract.faults.refuse.push({ method: 'POST', path: /documents$/, status: 422, code: 'digest_mismatch' });
  t.equal((await runCommand(['put', file('other.txt', 'other')], { url: contract.url })).code, 6);
});

t.test('folders are walked in byte order, and what is no file is named as skipped', async (t) => {
  const contract = await server(t);
  const root = join(folder, 'tree');
  for (const path of ['b', 'a/deep']) mkdirSync(join(root, path), { recursive: true });
  for (const path of ['b/2.txt', 'a/deep/3.txt', 'a/1.txt', 'Z.txt']) writeFileSync(join(root, path), path);
  symlinkSync('Z.txt', join(root, 'link'));
  const socket = createServer().listen(join(root, 'socket'));
  await once(socket, 'listening');
  t.teardown(() => socket.close());

  const { code, stderr, json } = await runCommand(['put', '-r', root, '--parallel', '1', '--json'], { url: contract.url });
  t.equal(code, 0);
  t.same(
    [...contract.documents.values()].map((one) => one.filename),
    ['Z.txt', 'a/1.txt', 'a/deep/3.txt', 'b/2.txt'],
  );
  t.equal(json.length, 4);
  t.match(stderr, /skipped {2}.*link: a symbolic link\n/);
  t.match(stderr, /skipped {2}.*socket: not a regular file\n/);
  t.match(stderr, /4 files stored, 2 skipped/);
});

t.test('files go in parallel, in order of the arguments, never more at once than asked for', async (t) => {
  const contract = await server(t);
  const paths = Array.from({ length: 12 }, (_, index) => file(`p${String(index).padStart(2, '0')}.txt`, `page ${index}`));
  const { code, json } = await runCommand(['put', ...paths, '--parallel', '3', '--json'], { url: contract.url });
  t.equal(code, 0);
  t.same(json.map((one) => one.file).sort(), paths);
  t.ok(contract.inFlightMost <= 3);
  const begun = contract.requests.map(({ path }) => new URL(path, contract.url).searchParams.get('filename') as string);
  const inOrder = [...begun].sort();
  for (const [index, name] of begun.entries()) t.ok(Math.abs(index - inOrder.indexOf(name)) < 3, `${name} was begun in its turn`);
});

t.test('one bad file does not keep the others from being stored; the exit code is the worst', async (t) => {
  const contract = await server(t);
  const paths = [file('good.txt', 'good'), join(folder, 'missing.txt'), file('fine.txt', 'fine')];
  const { code, stderr } = await runCommand(['put', ...paths], { url: contract.url });
  t.equal(code, 2);
  t.match(stderr, /missing\.txt: It does not exist\./);
  t.match(stderr, /2 files stored, 1 failed/);
});

t.test('a folder without -r is a usage error that says what to add', async (t) => {
  const contract = await server(t);
  const { code, stderr } = await runCommand(['put', folder], { url: contract.url });
  t.equal(code, 2);
  t.match(stderr, /is a folder; add -r/);
});

t.test('standard input goes in pieces that are kept until the server holds them', async (t) => {
  const contract = await server(t);
  const bytes = randomBytes(2 * limits.putPipedPieceSize + 12_345);
  contract.faults.cutUploadsAfter.push(1_000_000, 10);
  const stdin = Readable.from([bytes.subarray(0, 7), bytes.subarray(7, 9_000_000), bytes.subarray(9_000_000)]);
  const { code, json } = await runCommand(['put', '-', '--name', 'dump.tar', '--json'], { url: contract.url, stdin });
  t.equal(code, 0);
  t.match(json, [{ file: '-', size: bytes.length, sha256: sha256(bytes) }]);
  const [stored] = [...contract.documents.values()];
  t.ok(stored?.bytes.equals(bytes));
  t.equal(stored?.filename, 'dump.tar');
});

t.test('empty standard input is an empty document', async (t) => {
  const contract = await server(t);
  const { code, json } = await runCommand(['put', '-', '--json'], { url: contract.url, stdin: new PassThrough().end() });
  t.equal(code, 0);
  t.equal(json[0]?.size, 0);
});

t.test('an interruption ends with 130 and says how to go on', async (t) => {
  const contract = await server(t);
  const stop = new AbortController();
  contract.faults.cutUploadsAfter.push(MiB);
  contract.faults.refuse.push({ method: 'HEAD', path: /uploads/, status: 503, code: 'draining' });
  const running = runCommand(['put', bigPath], { url: contract.url, signal: stop.signal });
  while (contract.countOf('PUT', /bytes$/) === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new QuasarError('cancelled', { op: 'test', message: 'Interrupted.' }));
  const { code, stderr } = await running;
  t.equal(code, 130);
  t.match(stderr, /0 stored before the interruption\. Run the same command again to continue/);
});

t.test('a server that is not there is told at once, with what to do', async (t) => {
  const { code, stderr, waits } = await runCommand(['put', bigPath], { url: 'http://127.0.0.1:1' });
  t.equal(code, 5);
  t.same(waits, []);
  t.match(stderr, /No server answers at http:\/\/127\.0\.0\.1:1 .*"quasar up"/);
});

t.test('a new version of a document goes through a session that names it', async (t) => {
  const contract = await server(t);
  const documentId = '0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d';
  const put = () => runCommand(['put', file('v2.txt', 'two'), '--as-version', documentId, '--json'], { url: contract.url });
  t.match(
    await put(),
    { code: 3, json: [{ error: { code: 'document_not_found' } }] },
    'a document that is not there is not made',
  );
  t.equal(contract.uploads.size, 0);
  const known = { documentId, versionId: documentId, filename: 'v1.txt', contentType: undefined, bytes: Buffer.from('one') };
  contract.documents.set(documentId, known);
  t.match(await put(), { code: 0, json: [{ documentId, fresh: true }] });
  t.equal([...contract.uploads.values()][0]?.documentId, documentId);
});

t.test('a file name cannot command the terminal, whether it is stored or refused', async (t) => {
  const contract = await server(t);
  const turned = await runCommand(['put', file('a\u202egpj.exe', 'x')], { url: contract.url });
  t.equal(turned.code, 0);
  t.notOk(turned.stdout.includes('\u202e'));
  t.match(turned.stdout.toString(), /a\\u\{202e\}gpj\.exe\n$/);
  t.equal([...contract.documents.values()][0]?.filename, 'a\u202egpj.exe', 'the server gets the true name');

  const path = file('a\u001b[2J\n.txt', 'x');
  const refused = await runCommand(['put', path], { url: contract.url });
  t.equal(refused.code, 2);
  t.notOk(refused.stderr.includes('\u001b'));
  t.match(refused.stderr, /a\\u\{1b\}\[2J\\u\{a\}\.txt: .* give another name with --name\./);
  t.equal((await runCommand(['put', path, '--name', 'a.txt'], { url: contract.url })).code, 0);
});

t.test('a name that is no UTF-8 fails by name, and does not stop the rest', async (t) => {
  const contract = await server(t);
  const root = join(folder, 'names');
  mkdirSync(root);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x61, 0xff, 0x62])]), 'x');
  writeFileSync(join(root, 'z.txt'), 'z');
  writeFileSync(join(root, 'a letter \ufffd.txt'), 'in UTF-8 too');
  const { code, stderr } = await runCommand(['put', '-r', root], { url: contract.url });
  t.equal(code, 2);
  t.match(stderr, /Its name is not valid UTF-8/);
  t.match(stderr, /2 files stored, 1 failed/);
});
