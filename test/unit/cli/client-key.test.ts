import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ADMIN_KEY_FILE } from '../../../src/access/admin-key.ts';
import { DEFAULT_KEY_FILE } from '../../../src/cli/client-flags.ts';
import { chooseKeyFile, readClientKey } from '../../../src/cli/client-key.ts';
import { readClientEnvironment } from '../../../src/config/client-environment.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { ContractServer } from './contract-server.ts';
import { runCommand, testTable } from './run-command.ts';

const here = new URL('http://127.0.0.1:8080');
const elsewhere = new URL('https://records.example');
const nothing = { flag: undefined, environment: undefined, fallback: '/nowhere/admin-key', url: here };
const KEY = `quasar_${'0'.repeat(66)}`;

function keyFile(t: Test, text: string, mode = 0o600): string {
  const path = join(temporaryFolder(t), 'key');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

t.test('the flag wins over the environment, and that over the default', (t) => {
  t.same(chooseKeyFile({ ...nothing, flag: 'a', environment: 'b' }), { path: 'a', named: true });
  t.same(chooseKeyFile({ ...nothing, environment: 'b' }), { path: 'b', named: true });
  t.same(chooseKeyFile(nothing), { path: '/nowhere/admin-key', named: false });
  t.end();
});

t.test('a key that nobody named goes to this machine alone; a named one goes anywhere', (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.1', '127.8.8.8', '[::1]']) {
    t.ok(chooseKeyFile({ ...nothing, url: new URL(`http://${host}:1`) }), host);
  }
  for (const host of ['records.example', '10.0.0.1', '127.0.0.1.records.example', 'localhost.example', '[::2]', '0.0.0.0']) {
    t.equal(chooseKeyFile({ ...nothing, url: new URL(`http://${host}`) }), undefined, host);
  }
  t.match(chooseKeyFile({ ...nothing, flag: 'a', url: elsewhere }), { path: 'a' });
  t.match(chooseKeyFile({ ...nothing, environment: 'b', url: elsewhere }), { path: 'b' });
  t.end();
});

t.test('the default is the file that a server makes in its data folder', (t) => {
  t.equal(DEFAULT_KEY_FILE, `./data/secrets/${ADMIN_KEY_FILE}`);
  t.end();
});

t.test('an empty QUASAR_KEY_FILE names none', (t) => {
  t.equal(readClientEnvironment({ QUASAR_KEY_FILE: '' }).keyFile, undefined);
  t.equal(readClientEnvironment({ QUASAR_KEY_FILE: '/key' }).keyFile, '/key');
  t.end();
});

t.test('a default key that is not there is none, a named one must be there', async (t) => {
  t.equal(await readClientKey(nothing), undefined);
  const file = keyFile(t, KEY);
  t.equal(await readClientKey({ ...nothing, fallback: join(file, 'secrets', 'admin-key') }), undefined, 'nor below a file');
  await t.rejects(readClientKey({ ...nothing, flag: '/nowhere/key' }), { code: 'config_invalid', message: /is missing/ });
  const fallback = keyFile(t, `${KEY}\n`);
  t.equal((await readClientKey({ ...nothing, fallback }))?.text.reveal(), KEY);
});

t.test('a key that others may read is refused, and so is what cannot be one', async (t) => {
  const open = keyFile(t, KEY, 0o644);
  await t.rejects(readClientKey({ ...nothing, flag: open }), { code: 'config_invalid', message: `chmod 600 ${open}` });
  for (const text of [`${KEY}\n${KEY}`, 'two words', `${KEY}\r\nX-Other: 1`, 'schlüssel']) {
    const flag = keyFile(t, text);
    await t.rejects(readClientKey({ ...nothing, flag }), { code: 'usage', message: `The file ${flag} holds no key` });
  }
});

t.test('every command that takes --url takes --key-file', (t) => {
  const names = testTable.map(({ flags }) => flags.map(({ name }) => name));
  const talking = names.filter((flags) => flags.includes('url'));
  t.ok(talking.length > 10);
  for (const flags of talking) t.ok(flags.includes('key-file'));
  t.end();
});

t.test('the key goes with every request as Authorization, and is shown nowhere', async (t) => {
  const contract = await ContractServer.start();
  t.teardown(() => contract.close());
  const file = keyFile(t, KEY);
  const { code, stdout, stderr } = await runCommand(['put', '-', '--key-file', file], { url: contract.url });
  t.equal(code, 0);
  t.equal((await runCommand(['ls'], { url: contract.url, keyFile: file })).code, 0);
  t.ok(contract.requests.length >= 2);
  for (const { path, headers } of contract.requests) {
    t.equal(headers.authorization, `Bearer ${KEY}`);
    t.notOk(path.includes(KEY));
  }
  t.notOk(`${stdout}${stderr}`.includes(KEY));
});

t.test('without a good key a command ends with 2 and says where to get one', async (t) => {
  const contract = await ContractServer.start();
  t.teardown(() => contract.close());
  const refusal = { method: 'GET', path: /documents/, status: 401, code: 'unauthenticated' };
  const file = keyFile(t, KEY);
  contract.faults.refuse.push(refusal);
  const { code, stderr } = await runCommand(['ls', '--key-file', file], { url: contract.url });
  t.equal(code, 2);
  t.ok(stderr.includes(`The key in ${file} was sent; name another with --key-file or QUASAR_KEY_FILE.`), stderr);
  t.match(stderr, /secrets\/admin-key of the server's data folder/);
  t.notOk(stderr.includes(KEY));

  contract.faults.refuse.push({ ...refusal, method: 'POST' });
  const put = await runCommand(['put', '-', '--name', 'x'], { url: contract.url });
  t.equal(put.code, 2);
  t.match(put.stderr, /--key-file or QUASAR_KEY_FILE/, 'each file of a put says so too');
});
