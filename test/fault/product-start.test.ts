import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { SmallDisk } from '../helpers/drill-disk.ts';
import { call } from '../helpers/drill-http.ts';
import { isAlive, Product } from '../helpers/product.ts';
import { processesIn, refusal, refuses } from '../helpers/refused-start.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

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

t.test('a disk too full for a database to be made ends the start with one line', async (t) => {
  const data = join(SmallDisk.mount(t, 24 * 1024 * 1024).folder, 'data');
  const { code, said } = await refusal(['--data', data, '--port', '0']);
  t.equal(code, 5, said);
  t.match(said, /^quasar: The disk is /m);
  t.same(processesIn(data), [], 'nothing is left running');
});
