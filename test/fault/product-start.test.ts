import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { SmallDisk } from '../helpers/drill-disk.ts';
import { call } from '../helpers/drill-http.ts';
import { isAlive, Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** What `quasar up` says when it does not come up. */
async function refusal(flags: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'up', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, said, log: out, pid: child.pid as number };
}

/** Servers of PostgreSQL, and anything else, that work in a folder below this one. */
function processesIn(folder: string): string[] {
  const inside = (pid: string): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch (error) {
      // It ended while we looked, or has no folder we may see.
      if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && inside(name));
}

async function refuses(t: Test, flags: readonly string[], expected: { code: number; says: RegExp; data: string }) {
  const { code, said } = await refusal(flags);
  t.equal(code, expected.code, said);
  t.match(said, expected.says);
  t.equal(said.trimEnd().split('\n').length, 1, `one line says why: ${said}`);
  t.same(processesIn(expected.data), [], 'nothing is left running');
}

t.test('a second Quasar on the same data ends with one line, and the first goes on unharmed', async (t) => {
  const first = await Product.start();
  t.teardown(() => first.destroy());
  const bytes = patternBytes(100_000, 5);
  const stored = await call(first, { method: 'POST', path: '/v1/documents', body: bytes });
  const second = await refusal(['--data', first.data, '--port', '0']);
  t.equal(second.code, 5);
  t.match(second.said, /^quasar: .*(holds|in use|another)/i);
  t.equal(second.said.trimEnd().split('\n').length, 1, second.said);
  t.ok(isAlive(await first.databasePid()), 'its database was left alone');
  const read = await call(first, { path: `/v1/documents/${stored.json.documentId}/content` });
  t.equal(sha256(read.body), sha256(bytes));
  t.equal((await call(first, { method: 'POST', path: '/v1/documents', body: 'after' })).status, 201);
});

t.test('data in a folder that nobody else may enter works, for PostgreSQL too', async (t) => {
  const closed = join(temporaryFolder(t), 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const product = await Product.start({ data: join(closed, 'data') });
  t.teardown(() => product.destroy());
  t.equal((await call(product, { method: 'POST', path: '/v1/documents', body: 'x' })).status, 201);
  t.equal(await product.stop(), 0);
});

t.test('a port that is taken is named, with exit code 5', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  const { port } = holder.address() as { port: number };
  const data = join(temporaryFolder(t), 'data');
  await refuses(t, ['--data', data, '--port', String(port)], { code: 5, says: new RegExp(`127.0.0.1:${port}`), data });
});

t.test('an address beyond loopback is refused without a proxy that speaks TLS', async (t) => {
  const data = join(temporaryFolder(t), 'data');
  await refuses(t, ['--data', data, '--host', '0.0.0.0'], { code: 2, says: /plain HTTP.*behind-tls-proxy/, data });
  t.notOk(existsSync(data), 'before anything is made');
});

for (const { what, file, lines, says } of [
  {
    what: 'an unknown key',
    file: 'quasar.conf',
    lines: ['http.prot = 80'],
    says: /quasar\.conf line 1: .*http\.prot.*http\.port/,
  },
  { what: 'a mistyped value', file: 'storage.conf', lines: ['segmentSize = big'], says: /storage\.conf line 1: .*segmentSize/ },
  { what: 'a key that is there twice', file: 'storage.conf', lines: ['chunker = fixed', 'chunker = fixed'], says: /chunker/ },
  { what: 'a file that is no config', file: 'storage.conf', lines: ['segmentSize = {'], says: /storage\.conf/ },
  { what: 'a misspelt file', file: 'quasr.conf', lines: [''], says: /quasr\.conf .*quasar\.conf/ },
]) {
  t.test(`${what} in the config is named with its file, with exit code 2`, async (t) => {
    const folder = temporaryFolder(t);
    const config = writeConfig(join(folder, 'config'), { [file]: lines });
    const data = join(folder, 'data');
    await refuses(t, ['--data', data, '--config', config], { code: 2, says, data });
    t.notOk(existsSync(data), 'before anything is made');
  });
}

t.test('secrets that others may read, placeholders and empty ones are refused', async (t) => {
  const folder = temporaryFolder(t);
  const config = writeConfig(join(folder, 'config'), { 'quasar.conf': [] });
  const data = join(folder, 'data');
  const secret = join(config, 'secrets', 'postgres-password');
  mkdirSync(join(config, 'secrets'), { mode: 0o700 });
  for (const { content, mode, says } of [
    { content: 'a fine password\n', mode: 0o644, says: /postgres-password has mode 0644.*chmod 600/ },
    { content: 'CHANGE-ME\n', mode: 0o600, says: /postgres-password still is CHANGE-ME/ },
    { content: '\n', mode: 0o600, says: /postgres-password is empty/ },
  ]) {
    writeFileSync(secret, content);
    chmodSync(secret, mode);
    await refuses(t, ['--data', data, '--config', config], { code: 2, says, data });
  }
  t.notOk(existsSync(data));
});

t.test('a secret with a newline at its end works, and its text never reaches log or screen', async (t) => {
  const folder = temporaryFolder(t);
  const config = writeConfig(join(folder, 'config'), { 'quasar.conf': [], 'logging.conf': ['level = debug'] });
  mkdirSync(join(config, 'secrets'), { mode: 0o700 });
  writeFileSync(join(config, 'secrets', 'postgres-password'), 'well-kept-8264\r\n', { mode: 0o600 });
  const product = await Product.start({ config });
  t.teardown(() => product.destroy());
  t.equal(await product.stop(), 0);
  t.notMatch(product.output, /well-kept-8264/);
  t.match(readFileSync(join(config, 'secrets', 'postgres-password'), 'utf8'), /^well-kept-8264\r\n$/);
});

t.test('another password than the one its database was made with is refused, and nothing is left running', async (t) => {
  const product = await Product.start();
  t.teardown(() => product.destroy());
  t.equal(await product.stop(), 0);
  const secret = join(product.data, 'secrets', 'postgres-password');
  const original = readFileSync(secret);
  writeFileSync(secret, 'another-one\n');
  const { code, said } = await refusal(['--data', product.data, '--port', '0']);
  t.equal(code, 5);
  t.match(said, /^quasar: The password among the secrets is not the one/);
  t.same(processesIn(product.data), []);
  writeFileSync(secret, original);
  const again = await Product.start({ data: product.data });
  t.equal(await again.stop(), 0, 'with the original back it starts');

  // A supervisor starts again what has ended; a process that stays does nobody any good.
  const control = join(product.data, 'postgres', 'cluster', 'global', 'pg_control');
  renameSync(control, `${control}.away`);
  const says = /^quasar: PostgreSQL did not start \(exit code \d\): .*could not (open|find) .*/;
  await refuses(t, ['--data', product.data, '--port', '0'], { code: 5, says, data: product.data });
});

t.test('secrets that are not what they were are refused, or told of', async (t) => {
  const product = await Product.start();
  t.teardown(() => product.destroy());
  await call(product, { method: 'POST', path: '/v1/documents', body: 'noted' });
  t.equal(await product.stop(), 0);
  const { data } = product;
  const secret = (name: string) => join(data, 'secrets', name);
  const seed = readFileSync(secret('audit-seed'));
  writeFileSync(secret('audit-seed'), `${Buffer.alloc(32, 7).toString('base64url')}\n`);
  const says = /audit-seed is not the one the audit log is signed with .*Put the original back.*remove the file/;
  await refuses(t, ['--data', data, '--port', '0'], { code: 2, says, data });
  writeFileSync(secret('audit-seed'), '');
  await refuses(t, ['--data', data, '--port', '0'], { code: 2, says: /audit-seed is empty\. Put the original back/, data });

  rmSync(secret('audit-seed'));
  rmSync(secret('api-key-pepper'));
  writeFileSync(secret('admin-key'), '');
  const without = await Product.start({ data });
  t.teardown(() => without.destroy());
  t.equal(await without.stop(), 0);
  t.match(without.output, /secrets\/audit-seed was missing and made anew/);
  t.match(without.output, /secrets\/api-key-pepper was missing .*every API key issued before is refused/);
  t.match(without.output, /secrets\/admin-key holds no key; remove the file/);

  rmSync(secret('admin-key'));
  const again = await Product.start({ data });
  t.teardown(() => again.destroy());
  t.notMatch(again.output, /made anew/);
  t.equal((await call(again, { method: 'POST', path: '/v1/documents', body: 'again' })).status, 201, 'with the new key');
  t.equal(await again.stop(), 0);
  writeFileSync(secret('audit-seed'), seed);
  await refuses(t, ['--data', data, '--port', '0'], { code: 2, says: /audit-seed is not the one/, data });
});

t.test('a disk too full for a database to be made ends the start with one line', async (t) => {
  const data = join(SmallDisk.mount(t, 24 * 1024 * 1024).folder, 'data');
  const { code, said } = await refusal(['--data', data, '--port', '0']);
  t.equal(code, 5, said);
  t.match(said, /^quasar: The disk is /m);
  t.same(processesIn(data), [], 'nothing is left running');
});
