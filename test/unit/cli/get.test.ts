import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { tagOf } from '../../../src/cli/part-name.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { ContractServer, sha256 } from './contract-server.ts';
import { runCommand } from './run-command.ts';

const documentId = '0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d';
const bytes = randomBytes(3_000_000);

async function setUp(test: { teardown(close: () => Promise<void>): void }, content: Buffer = bytes) {
  const contract = await ContractServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'quasar-get-'));
  test.teardown(async () => {
    await contract.close();
    rmSync(folder, { recursive: true, force: true });
  });
  contract.documents.set(documentId, {
    documentId,
    versionId: documentId,
    filename: 'scan.pdf',
    contentType: undefined,
    bytes: content,
  });
  return { contract, folder, output: join(folder, 'scan.pdf') };
}

t.test('content goes to standard output and nothing else does', async (t) => {
  const { contract } = await setUp(t);
  const { code, stdout, stderr } = await runCommand(['get', documentId], { url: contract.url });
  t.equal(code, 0);
  t.ok(stdout.equals(bytes));
  t.equal(stderr, '');
});

t.test('a file appears only when it is complete, and nothing stays beside it', async (t) => {
  const { contract, folder, output } = await setUp(t);
  const { code, json } = await runCommand(['get', documentId, '-o', output, '--json'], { url: contract.url });
  t.equal(code, 0);
  t.ok(readFileSync(output).equals(bytes));
  t.same(readdirSync(folder), ['scan.pdf']);
  t.match(json, [{ file: output, size: bytes.length, sha256: sha256(bytes), verified: true, key: /^b3:[0-9a-f]{64}$/ }]);
});

t.test('an empty document is an empty file', async (t) => {
  const { contract, output } = await setUp(t, Buffer.alloc(0));
  const { code } = await runCommand(['get', documentId, '-o', output], { url: contract.url });
  t.equal(code, 0);
  t.equal(readFileSync(output).length, 0);
});

t.test('a broken connection is taken up at the next byte, of the same content only', async (t) => {
  const { contract } = await setUp(t);
  contract.faults.cutDownloadsAfter.push(1_000_000, 500_000);
  const { code, stdout, waits } = await runCommand(['get', documentId], { url: contract.url });
  t.equal(code, 0);
  t.ok(stdout.equals(bytes));
  t.equal(waits.length, 2);
  const [, second, third] = contract.requests;
  const starts = [second, third].map((request) => Number(/^bytes=(\d+)-2999999$/.exec(String(request?.headers.range))?.[1]));
  // What was still on its way in this process when the connection broke is asked for again.
  t.ok((starts[0] as number) > 0 && (starts[0] as number) <= 1_000_000);
  t.ok((starts[1] as number) > (starts[0] as number) && (starts[1] as number) <= (starts[0] as number) + 500_000);
  t.match(second?.headers['if-range'], /^"b3-[0-9a-f]{64}"$/);
});

t.test('a document that got a new version in the middle is refused, not mixed', async (t) => {
  const { contract, folder, output } = await setUp(t);
  contract.faults.cutDownloadsAfter.push(1_000_000);
  const running = runCommand(['get', documentId, '-o', output], { url: contract.url });
  while (contract.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const other = {
    documentId,
    versionId: documentId,
    filename: 'scan.pdf',
    contentType: undefined,
    bytes: randomBytes(bytes.length),
  };
  contract.documents.set(documentId, other);
  const { code, stderr } = await running;
  t.equal(code, 4);
  t.match(stderr, /got a new version/);
  t.notOk(existsSync(output));

  t.equal((await runCommand(['get', documentId, '-o', output], { url: contract.url })).code, 0, 'the next run begins anew');
  t.ok(readFileSync(output).equals(other.bytes));
  t.same(readdirSync(folder), ['scan.pdf']);
});

t.test('a run that was given up is continued by the next', async (t) => {
  const { contract, folder, output } = await setUp(t);
  contract.faults.cutDownloadsAfter.push(1_000_000, ...Array.from({ length: limits.clientAttemptsMax }, () => 0));
  t.equal((await runCommand(['get', documentId, '-o', output], { url: contract.url })).code, 5);
  const [left, ...others] = readdirSync(folder);
  t.match(left, /^scan\.pdf\.[0-9a-f]{16}\.part$/);
  t.same(others, []);
  const { size } = statSync(join(folder, left as string));
  t.ok(size > 0);
  contract.faults.cutDownloadsAfter.length = 0;
  contract.requests.length = 0;

  const { code, json, stderr } = await runCommand(['get', documentId, '-o', output, '--json'], { url: contract.url });
  t.equal(code, 0);
  t.match(stderr, /continuing .*scan\.pdf at \d.*, where an earlier run stopped/);
  t.equal(contract.requests.at(-1)?.headers.range, `bytes=${size}-${bytes.length - 1}`);
  t.ok(readFileSync(output).equals(bytes));
  t.match(json, [{ verified: true }], 'what came in both runs is verified together');
  t.same(readdirSync(folder), ['scan.pdf']);
});

t.test('a part that is already whole is checked and takes its name without another byte', async (t) => {
  const { contract, output } = await setUp(t);
  writeFileSync(`${output}.${tagOf(await etagOf(contract))}.part`, bytes);
  const { code } = await runCommand(['get', documentId, '-o', output], { url: contract.url });
  t.equal(code, 0);
  t.ok(readFileSync(output).equals(bytes));
  t.equal(contract.countOf('GET', /content/), 0);
});

t.test('wrong bytes end with 6 and are kept under another name', async (t) => {
  const { contract, folder, output } = await setUp(t);
  contract.faults.flip = true;
  const { code, stderr } = await runCommand(['get', documentId, '-o', output], { url: contract.url });
  t.equal(code, 6);
  t.match(stderr, /do not have the SHA-256 .*kept in .*scan\.pdf\.damaged/);
  t.same(readdirSync(folder), ['scan.pdf.damaged']);
});

t.test('a part that was damaged on this disk is found out', async (t) => {
  const { contract, folder, output } = await setUp(t);
  writeFileSync(`${output}.${tagOf(await etagOf(contract))}.part`, randomBytes(1000));
  t.equal((await runCommand(['get', documentId, '-o', output], { url: contract.url })).code, 6);
  t.same(readdirSync(folder), ['scan.pdf.damaged']);
});

t.test('ranges give exactly their bytes', async (t) => {
  const { contract } = await setUp(t);
  const cases: [string, Buffer][] = [
    ['0-0', bytes.subarray(0, 1)],
    ['100-199', bytes.subarray(100, 200)],
    ['2999990-', bytes.subarray(2_999_990)],
    ['-10', bytes.subarray(-10)],
  ];
  for (const [range, expected] of cases) {
    const { code, stdout } = await runCommand(['get', documentId, `--range=${range}`], { url: contract.url });
    t.equal(code, 0, range);
    t.ok(stdout.equals(expected), range);
  }
  contract.faults.cutDownloadsAfter.push(40);
  const { stdout } = await runCommand(['get', documentId, '--range', '100-199'], { url: contract.url });
  t.ok(stdout.equals(bytes.subarray(100, 200)), 'also over a broken connection');
  t.equal((await runCommand(['get', documentId, '--range', '3000000-'], { url: contract.url })).code, 4);
  t.equal((await runCommand(['get', documentId, '--range', '9-3'], { url: contract.url })).code, 2);
});

t.test('what does not exist ends with 3, what is no id with 2, a folder as output with 2', async (t) => {
  const { contract, folder } = await setUp(t);
  t.equal((await runCommand(['get', documentId.replace('0192', '0000')], { url: contract.url })).code, 3);
  t.equal((await runCommand(['get', 'scan.pdf'], { url: contract.url })).code, 2);
  t.equal((await runCommand(['get', documentId, '-o', folder], { url: contract.url })).code, 2);
});

t.test('an interruption keeps the part and says so', async (t) => {
  const { contract, folder, output } = await setUp(t);
  const stop = new AbortController();
  contract.faults.cutDownloadsAfter.push(1_000_000);
  contract.faults.refuse.push({ method: 'HEAD', path: /content/, status: 503, code: 'draining' });
  const running = runCommand(['get', documentId, '-o', output], { url: contract.url, signal: stop.signal });
  while (contract.countOf('HEAD', /content/) === 0 && !partIn(folder)) await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new QuasarError('cancelled', { op: 'test', message: 'Interrupted.' }));
  const { code, stderr } = await running;
  t.equal(code, 130);
  t.match(stderr, /What came is in .*scan\.pdf\.[0-9a-f]{16}\.part\. Run the same command again/);
  t.notOk(existsSync(output));
  t.equal(readdirSync(folder).length, 1);
});

function partIn(folder: string): boolean {
  return readdirSync(folder).some((name) => statSync(join(folder, name)).size > 0);
}

t.test('ls pages through all documents, newest first', async (t) => {
  const { contract } = await setUp(t);
  for (let index = 0; index < 5; index++) {
    const id = documentId.replace('0192', `000${index}`);
    contract.documents.set(id, {
      documentId: id,
      versionId: id,
      filename: `${index}.txt`,
      contentType: undefined,
      bytes: Buffer.alloc(1),
    });
  }
  const limited = await runCommand(['ls', '--limit', '2', '--json'], { url: contract.url });
  t.same(
    limited.json.map((one) => (one.current as { filename: string }).filename),
    ['4.txt', '3.txt'],
  );
  const all = await runCommand(['ls', '--all', '--json'], { url: contract.url });
  t.equal(all.json.length, 6);
  const plain = await runCommand(['ls', '--limit', '1'], { url: contract.url });
  t.match(plain.stdout.toString(), /^0004f3a1-\S+ {2}2026-01-01T00:00:00\.000Z {2} +1 B {2}4\.txt\n$/);
  t.match(plain.stderr, /There are more; --all lists them\./);
});

t.test('stat tells documents, blobs and uploads apart', async (t) => {
  const { contract } = await setUp(t);
  const uploadId = documentId.replace('0192', '0193');
  contract.uploads.set(uploadId, {
    uploadId,
    documentId,
    size: 10,
    filename: undefined,
    bytes: Buffer.alloc(4),
    result: undefined,
  });
  const document = await runCommand(['stat', documentId, '--json'], { url: contract.url });
  t.match(document.json, [{ kind: 'document', documentId, versions: [{ filename: 'scan.pdf' }] }]);
  const { key } = (document.json[0] as { versions: [{ contentRef: { key: string } }] }).versions[0].contentRef;
  const blob = await runCommand(['stat', key, '--json'], { url: contract.url });
  t.match(blob.json, [{ kind: 'blob', key, size: bytes.length, sha256: sha256(bytes) }]);
  const upload = await runCommand(['stat', uploadId, '--json'], { url: contract.url });
  t.match(upload.json, [{ kind: 'upload', offset: 4 }]);
  const plain = await runCommand(['stat', documentId], { url: contract.url });
  t.match(plain.stdout.toString(), /\nversions:\n(.*\n)* {2}contentRef:\n {4}kind: blob\n/);
  t.equal((await runCommand(['stat', documentId.replace('0192', '0000')], { url: contract.url })).code, 3);
});

async function etagOf(contract: ContractServer): Promise<string> {
  const response = await fetch(`${contract.url}/v1/documents/${documentId}/content`, { method: 'HEAD' });
  contract.requests.length = 0;
  return response.headers.get('etag') as string;
}
