import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { blockIdOf } from '../../../src/core/blake3.ts';
import { limits } from '../../../src/core/limits.ts';
import { ContractServer, sha256 } from './contract-server.ts';
import { runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'quasar-expected-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

async function server(t: Test): Promise<ContractServer> {
  const contract = await ContractServer.start();
  t.teardown(() => contract.close());
  return contract;
}

for (const [kind, bytes] of Object.entries({ small: Buffer.from('paper'), large: randomBytes(limits.putOneShotMax + 5) })) {
  const right = [
    ['--size', String(bytes.length)],
    ['--sha256', sha256(bytes)],
    ['--sha256', sha256(bytes).toUpperCase()],
    ['--b3', blockIdOf(bytes)],
    ['--b3', `b3:${blockIdOf(bytes)}`],
  ];
  const wrong = [
    ['--size', String(bytes.length + 1)],
    ['--size', String(bytes.length - 1)],
    ['--size', '0'],
    ['--sha256', sha256(Buffer.from('other'))],
    ['--b3', blockIdOf(Buffer.from('other'))],
  ];
  for (const source of ['file', 'standard input']) {
    t.test(`a ${kind} ${source} is stored when it is what the flags say, and otherwise nothing is`, async (t) => {
      const contract = await server(t);
      const path = join(folder, kind);
      writeFileSync(path, bytes);
      const put = (...flags: string[]) =>
        source === 'file'
          ? runCommand(['put', path, '--json', ...flags], { url: contract.url })
          : runCommand(['put', '-', '--json', ...flags], { url: contract.url, stdin: Readable.from([bytes]) });
      for (const flags of wrong) {
        const { code, json } = await put(...flags);
        t.equal(code, 4, flags.join(' '));
        t.match(json, [{ error: { code: 'source_differs', message: new RegExp(`${flags[0]}; nothing of it was stored`) } }]);
      }
      t.equal(contract.documents.size, 0);
      t.ok(
        [...contract.uploads.values()].every(({ cancelled }) => cancelled),
        'no session stays behind',
      );
      for (const flags of right) t.equal((await put(...flags)).code, 0, flags.join(' '));
    });
  }
}

t.test('standard input that ends early is refused: a program that failed stores no part', async (t) => {
  const contract = await server(t);
  const stdin = Readable.from([randomBytes(1000)]);
  const { code } = await runCommand(['put', '-', '--size', '2000'], { url: contract.url, stdin });
  t.equal(code, 4);
  t.equal(contract.documents.size, 0);
});

t.test('what is announced is announced to the server too, which compares it with what it stored', async (t) => {
  const contract = await server(t);
  const bytes = randomBytes(100);
  const flags = ['--size', '100', '--sha256', sha256(bytes), '--b3', blockIdOf(bytes)];
  t.equal((await runCommand(['put', '-', ...flags], { url: contract.url, stdin: Readable.from([bytes]) })).code, 0);
  const [upload] = [...contract.uploads.values()];
  t.match(upload, { size: 100, digests: { sha256: sha256(bytes), blake3: blockIdOf(bytes) } });
});

t.test('digests that are none, and expectations of several files, are errors of the command line', async (t) => {
  for (const flags of [
    ['--sha256', 'abc'],
    ['--b3', `b3:${'g'.repeat(64)}`],
    ['--size', '-1'],
    ['--size', '1.5'],
  ]) {
    t.equal((await runCommand(['put', 'a', ...flags])).code, 2, flags.join(' '));
  }
  t.match(await runCommand(['put', 'a', 'b', '--size', '1']), { code: 2, stderr: /--size goes with a single file/ });
  t.match(await runCommand(['put', '-r', 'a', '--b3', 'x']), { code: 2, stderr: /--b3 goes with a single file/ });
});

t.test('the help of put says how to require an end', async (t) => {
  const { stdout } = await runCommand(['put', '--help']);
  for (const said of [/--size BYTES/, /--sha256 HEX/, /--b3 HEX/, /does not tell whether the program failed/])
    t.match(stdout.toString(), said);
});
