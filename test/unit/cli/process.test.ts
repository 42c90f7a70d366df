import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { ContractServer, sha256 } from './contract-server.ts';
import { runCommand } from './run-command.ts';

const MiB = 1024 * 1024;
const main = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quasar-process-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const bytes = randomBytes(limits.putOneShotMax + 2 * MiB);
const path = join(folder, 'big.bin');
writeFileSync(path, bytes);

async function server(test: { teardown(close: () => Promise<void>): void }): Promise<ContractServer> {
  const contract = await ContractServer.start();
  test.teardown(() => contract.close());
  return contract;
}

function start(
  line: readonly string[],
  contract: ContractServer,
): ChildProcess & { exit: Promise<[number | null, string | null]> } {
  const child = spawn(process.execPath, [main, ...line], { env: { ...process.env, QUASAR_URL: contract.url } });
  return Object.assign(child, { exit: once(child, 'exit') as Promise<[number | null, string | null]> });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('a put that is killed in the middle continues in the next run, at the byte the server holds', async (t) => {
  const contract = await server(t);
  contract.faults.stallUploadsAfter.push(3 * MiB);
  const first = start(['put', path], contract);
  await until(() => [...contract.uploads.values()].some((upload) => upload.bytes.length === 3 * MiB));
  first.kill('SIGKILL');
  t.same(await first.exit, [null, 'SIGKILL']);

  contract.requests.length = 0;
  const second = start(['put', path, '--json'], contract);
  const [printed, [code]] = await Promise.all([text(second.stdout as NodeJS.ReadableStream), second.exit]);
  t.equal(code, 0);
  t.match(JSON.parse(printed), { sha256: sha256(bytes), size: bytes.length });
  t.equal(contract.requests.find(({ method }) => method === 'PUT')?.headers['upload-offset'], String(3 * MiB));
  t.ok([...contract.documents.values()][0]?.bytes.equals(bytes));
});

t.test('Ctrl-C ends a put with 130 and tells how to continue', async (t) => {
  const contract = await server(t);
  contract.faults.stallUploadsAfter.push(MiB);
  const child = start(['put', path], contract);
  const said = text(child.stderr as NodeJS.ReadableStream);
  await until(() => [...contract.uploads.values()].some((upload) => upload.bytes.length === MiB));
  child.kill('SIGINT');
  t.same(await child.exit, [130, null]);
  t.match(await said, /^0 stored before the interruption\. Run the same command again .*\nquasar: Interrupted\.\n$/);
});

t.test('a reader that closes early ends a get in silence', async (t) => {
  const contract = await server(t);
  const id = '0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d';
  contract.documents.set(id, { documentId: id, versionId: id, filename: undefined, contentType: undefined, bytes });
  const child = start(['get', id], contract);
  const said = text(child.stderr as NodeJS.ReadableStream);
  child.stdout?.once('data', () => child.stdout?.destroy());
  t.same(await child.exit, [130, null]);
  t.equal(await said, '');
});

t.test('standard input of a pipeline is stored', async (t) => {
  const contract = await server(t);
  const child = start(['put', '-', '--name', 'piped.txt'], contract);
  child.stdin?.end('from a pipe');
  const [printed, [code]] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), child.exit]);
  t.equal(code, 0);
  t.match(printed, /^stored {3}\S+ {2}b3:[0-9a-f]{64} {2}11 B {2}-\n$/);
  t.equal([...contract.documents.values()][0]?.filename, 'piped.txt');
});

t.test('many files at once cause no warning', async (t) => {
  const contract = await server(t);
  const paths = Array.from({ length: 40 }, (_, index) => join(folder, `${index}.txt`));
  for (const one of paths) writeFileSync(one, one);
  const child = start(['put', ...paths, '--parallel', '32'], contract);
  child.stdout?.resume();
  const [said, [code]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), child.exit]);
  t.equal(code, 0);
  t.match(said, /^40 files stored; .*\n$/);
});

t.test('on a terminal progress is drawn and taken away again', async (t) => {
  const contract = await server(t);
  const small = join(folder, 'small.txt');
  writeFileSync(small, 'small');
  const { code, stderr, stdout } = await runCommand(['put', path, small], { url: contract.url, interactive: true });
  t.equal(code, 0);
  t.match(stderr, /2 files stored; 10\.0 MiB in /);
  t.match(stdout.toString(), /stored.*small\.txt\n/);
});
