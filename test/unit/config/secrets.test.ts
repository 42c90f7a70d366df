import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { Secret } from '../../../src/config/secret.ts';
import { ensureSecret, findSecret, readSecret } from '../../../src/config/secrets.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { limits } from '../../../src/core/limits.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function place(t: Test, text: string, mode = 0o600) {
  const directory = temporaryFolder(t);
  const path = join(directory, 'pepper');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return { directory, name: 'pepper', path };
}

t.test('a secret prints [redacted] however it is shown', async (t) => {
  const secret = new Secret('hunter2');
  t.equal(`${secret}`, '[redacted]');
  t.equal(String(secret), '[redacted]');
  t.equal(JSON.stringify({ secret }), '{"secret":"[redacted]"}');
  t.equal(inspect({ secret }, { showHidden: true }), '{ secret: [redacted] }');
  t.equal(secret.reveal(), 'hunter2');
});

t.test('a secret is the text of its file without the last line end', async (t) => {
  for (const text of ['s3cret', 's3cret\n', 's3cret\r\n']) t.equal((await readSecret(place(t, text))).reveal(), 's3cret');
  t.equal((await readSecret(place(t, ' a b \n\n'))).reveal(), ' a b \n');
});

t.test('a missing secret is undefined to find, an error to read', async (t) => {
  const nowhere = { directory: temporaryFolder(t), name: 'none' };
  t.equal(await findSecret(nowhere), undefined);
  await t.rejects(readSecret(nowhere), { code: 'config_invalid', message: /none is missing/ });
});

t.test('modes 0600 and 0400 are taken, all others refused with the line to type', async (t) => {
  for (const mode of [0o600, 0o400]) t.equal((await readSecret(place(t, 'x', mode))).reveal(), 'x');
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o700, 0o666]) {
    const where = place(t, 'x', mode);
    await t.rejects(readSecret(where), { code: 'config_invalid', message: `chmod 600 ${where.path}` });
  }
});

t.test("another user's secret is refused", async (t) => {
  const where = place(t, 'x');
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(where.path, 12_345, 12_345);
  // Who is not root cannot give a file away, but finds one of root's everywhere.
  const foreign = isRoot ? where : { directory: '/etc', name: 'passwd' };
  await t.rejects(readSecret(foreign), { code: 'config_invalid', message: /belongs to another user \(uid \d+\)/ });
});

t.test('empty, placeholder and oversized secrets are refused', async (t) => {
  await t.rejects(readSecret(place(t, '')), { code: 'config_invalid', message: /is empty/ });
  await t.rejects(readSecret(place(t, ' \n')), { code: 'config_invalid', message: /is empty/ });
  await t.rejects(readSecret(place(t, 'CHANGE-ME\n')), { code: 'config_invalid', message: /still is CHANGE-ME/ });
  await t.rejects(readSecret(place(t, 'x'.repeat(limits.secretFileMax + 1))), { code: 'config_invalid', message: /larger than/ });
});

t.test('what is no file is refused, a link to a file is followed', async (t) => {
  const directory = temporaryFolder(t);
  mkdirSync(join(directory, 'pepper'));
  await t.rejects(readSecret({ directory, name: 'pepper' }), { code: 'config_invalid', message: /is not a file/ });
  execFileSync('mkfifo', ['-m', '600', join(directory, 'pipe')]);
  await t.rejects(readSecret({ directory, name: 'pipe' }), { code: 'config_invalid', message: /is not a file/ }, 'at once');
  const where = place(t, 'x');
  symlinkSync(where.path, join(directory, 'link'));
  t.equal((await readSecret({ directory, name: 'link' })).reveal(), 'x');
});

t.test('a secret that cannot be written says where and what to do', async (t) => {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'file'), '');
  const wish = { directory: join(directory, 'file', 'secrets'), name: 'pepper' };
  await t.rejects(ensureSecret(wish, 32, systemClock), {
    code: 'config_invalid',
    message: /pepper cannot be written \(ENOTDIR\). Give the folder to the user of this process/,
  });
});

t.test('a secret that is not there yet is made once, for us alone', async (t) => {
  const where = { directory: join(temporaryFolder(t), 'secrets'), name: 'pepper' };
  const made = await ensureSecret(where, 32, systemClock);
  t.equal(Buffer.from(made.reveal(), 'base64url').length, 32);
  t.equal((await ensureSecret(where, 32, systemClock)).reveal(), made.reveal());
  t.equal(statSync(join(where.directory, 'pepper')).mode & 0o777, 0o600);
  t.equal(statSync(where.directory).mode & 0o777, 0o700);
  t.same(readdirSync(where.directory), ['pepper']);
});

t.test('all who make a secret at the same time get the same', async (t) => {
  const where = { directory: temporaryFolder(t), name: 'pepper' };
  const made = await Promise.all(Array.from({ length: 8 }, () => ensureSecret(where, 32, systemClock)));
  t.equal(new Set(made.map((secret) => secret.reveal())).size, 1);
  t.equal(readFileSync(join(where.directory, 'pepper'), 'utf8'), `${made[0]?.reveal()}\n`);
  t.same(readdirSync(where.directory), ['pepper']);
});
