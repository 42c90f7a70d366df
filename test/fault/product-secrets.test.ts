import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeConfig } from '../helpers/drill-config.ts';
import { call } from '../helpers/drill-http.ts';
import { Product } from '../helpers/product.ts';
import { processesIn, refusal, refuses } from '../helpers/refused-start.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

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
