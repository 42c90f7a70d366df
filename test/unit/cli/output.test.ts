import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { requireFilePlace } from '../../../src/cli/output-place.ts';
import { tagOf } from '../../../src/cli/part-name.ts';
import { ReplacedFile } from '../../../src/cli/replaced-file.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { ContractServer, sha256 } from './contract-server.ts';
import { runCommand } from './run-command.ts';

const main = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const bytes = randomBytes(3_000_000);

async function setUp(t: Test) {
  const contract = await ContractServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'quasar-output-'));
  t.teardown(async () => {
    await contract.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const add = (digit: string, content: Buffer) => {
    const id = `0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3${digit}`;
    contract.documents.set(id, { documentId: id, versionId: id, filename: 'scan.pdf', contentType: undefined, bytes: content });
    return id;
  };
  const id = add('0', bytes);
  const get = (...line: string[]) => runCommand(['get', id, ...line], { url: contract.url });
  const child = (script: string) =>
    spawn('bash', ['-c', script, process.execPath, main, id], {
      env: { ...process.env, QUASAR_URL: contract.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  return { contract, folder, id, add, get, child, output: join(folder, 'scan.pdf') };
}

t.test('two gets into one file at once each end with a whole file', async (t) => {
  const { contract, folder, id, add, output } = await setUp(t);
  const other = randomBytes(2_500_000);
  const ids = [id, id, add('1', other), add('1', other)];
  const ran = await Promise.all(ids.map((one) => runCommand(['get', one, '-o', output, '--json'], { url: contract.url })));
  for (const [index, { code, json, stderr }] of ran.entries()) {
    t.equal(code, 0, stderr);
    t.match(json, [{ verified: true, sha256: sha256(index < 2 ? bytes : other) }]);
  }
  const found = readFileSync(output);
  t.ok(found.equals(bytes) || found.equals(other), 'one of the two, and whole');
  t.same(readdirSync(folder), ['scan.pdf']);
});

t.test('a file that is being written is not taken over by another run, and one whose writer is dead is', async (t) => {
  const { contract, folder, get, output } = await setUp(t);
  const place = await requireFilePlace(output);
  const etag = await etagOf(contract);
  const living = await ReplacedFile.create(place, { content: etag });
  await living.write(bytes.subarray(0, 1000));
  t.equal((await get('-o', output)).code, 0);
  t.equal(readdirSync(folder).length, 2, 'the other one is still at it');
  await living.discard();

  const dead = spawn('true');
  await once(dead, 'exit');
  const [own] = [basename(await ownName(output, etag))];
  writeFileSync(join(folder, own.replace(/\.\d+-/, `.${dead.pid}-`)), bytes.subarray(0, 1000));
  rmSync(output);
  const { code, stderr } = await get('-o', output);
  t.equal(code, 0);
  t.match(stderr, /where an earlier run stopped/);
  t.equal(contract.requests.at(-1)?.headers.range, `bytes=1000-${bytes.length - 1}`);
  t.same(readdirSync(folder), ['scan.pdf']);
});

t.test('what is changed on the disk behind our back is found before the file gets its name', async (t) => {
  const { contract, folder, output } = await setUp(t);
  const file = await ReplacedFile.create(await requireFilePlace(output));
  await file.write(bytes);
  const [part] = readdirSync(folder);
  const path = join(folder, part as string);
  writeFileSync(path, Buffer.concat([Buffer.from([(bytes[0] as number) ^ 1]), bytes.subarray(1)]));
  t.not(await file.digest(), sha256(bytes));
  writeFileSync(path, bytes.subarray(1));
  await t.rejects(file.digest(), { code: 'corrupt' });
  await file.discard();
  t.same(readdirSync(folder), []);
  t.ok(contract);
});

t.test('mode and owner of a file that is replaced are kept, a new one goes by the umask', async (t) => {
  const { get, output } = await setUp(t);
  const umask = process.umask(0o027);
  t.teardown(() => process.umask(umask));
  await get('-o', output);
  t.equal(statSync(output).mode & 0o7777, 0o640);
  for (const mode of [0o600, 0o664, 0o640, 0o4750]) {
    writeFileSync(output, 'before');
    chmodSync(output, mode);
    t.equal((await get('-o', output)).code, 0);
    t.equal(statSync(output).mode & 0o7777, mode, mode.toString(8));
    t.ok(readFileSync(output).equals(bytes));
  }
  if (process.getuid?.() === 0) {
    chownSync(output, 1234, 5678);
    t.equal((await get('-o', output)).code, 0);
    t.match(statSync(output), { uid: 1234, gid: 5678 });
  }
});

t.test('a symbolic link is followed and kept, also one to a file that is not there yet', async (t) => {
  const { folder, get } = await setUp(t);
  mkdirSync(join(folder, 'real'));
  for (const name of ['there', 'new']) {
    const target = join(folder, 'real', name);
    if (name === 'there') writeFileSync(target, 'before');
    symlinkSync(`real/${name}`, join(folder, name));
    t.equal((await get('-o', join(folder, name))).code, 0);
    t.equal(readlinkSync(join(folder, name)), `real/${name}`);
    t.ok(readFileSync(target).equals(bytes));
  }
  t.same(readdirSync(join(folder, 'real')).sort(), ['new', 'there']);
});

t.test('devices and pipes are written into and stay', async (t) => {
  const { folder, get } = await setUp(t);
  t.equal((await get('-o', '/dev/null')).code, 0);
  t.ok(lstatSync('/dev/null').isCharacterDevice());
  const full = await get('-o', '/dev/full');
  t.match(full, { code: 2, stderr: '/dev/full: The disk is full.' });
  t.ok(lstatSync('/dev/full').isCharacterDevice());

  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe]);
  const [{ code }, read] = await Promise.all([get('-o', pipe), buffer(reader.stdout)]);
  t.equal(code, 0);
  t.ok(read.equals(bytes));
  t.ok(lstatSync(pipe).isFIFO());
  t.same(readdirSync(folder), ['pipe']);
});

t.test('a pipe that nobody reads is waited for, and the wait can be interrupted', async (t) => {
  const { contract, folder, id } = await setUp(t);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const stop = new AbortController();
  stop.abort(new QuasarError('cancelled', { op: 'test', message: 'Interrupted.' }));
  t.equal((await runCommand(['get', id, '-o', pipe], { url: contract.url, signal: stop.signal })).code, 130);
});

t.test('-o - and /dev/stdout are standard output, whose earlier bytes stay', async (t) => {
  const { folder, get, child } = await setUp(t);
  const { code, stdout, stderr } = await get('-o', '-');
  t.equal(code, 0);
  t.ok(stdout.equals(bytes));
  t.equal(stderr, '');
  t.notOk(existsSync('-'));

  const out = join(folder, 'out');
  const ran = child(
    `{ echo head; "$0" "$1" get "$2" -o /dev/stdout; "$0" "$1" get "$2" -o /dev/fd/3 3>&1; echo tail; } > ${out}`,
  );
  t.same(await once(ran, 'exit'), [0, null]);
  t.ok(readFileSync(out).equals(Buffer.concat([Buffer.from('head\n'), bytes, bytes, Buffer.from('tail\n')])));
});

t.test('standard output that cannot be written is an error, for what is content and for what is not', async (t) => {
  const { child } = await setUp(t);
  for (const command of ['get "$2"', 'ls', 'version', '--help', 'get --help', 'stat "$2" --json']) {
    const ran = child(`"$0" "$1" ${command} > /dev/full`);
    const [said, [code]] = await Promise.all([text(ran.stderr), once(ran, 'exit')]);
    t.equal(code, 2, command);
    t.match(said, /standard output: The disk is full\./);
  }
});

t.test('messages that nobody can write down change no result', async (t) => {
  const { folder, child, output } = await setUp(t);
  const ran = child(`"$0" "$1" get "$2" -o ${output} 2> /dev/full`);
  t.same(await once(ran, 'exit'), [0, null]);
  t.ok(readFileSync(output).equals(bytes));
  writeFileSync(join(folder, 'a'), 'a');
  symlinkSync('a', join(folder, '0'));
  const put = child(`"$0" "$1" put -r ${folder} 2> /dev/full`);
  const [said, [code]] = await Promise.all([text(put.stdout), once(put, 'exit')]);
  t.equal(code, 0);
  t.equal(said.trim().split('\n').length, 2);
});

t.test('a folder, a closed input and one that cannot be read are stored as nothing', async (t) => {
  const { contract, child } = await setUp(t);
  const before = contract.documents.size;
  for (const [input, reason] of [
    ['< .', /Standard input is a folder/],
    ['<&-', /Standard input is closed/],
    ['0> /dev/null', /It cannot be read: EBADF/],
  ] as const) {
    const ran = child(`"$0" "$1" put - ${input}`);
    const [said, [code]] = await Promise.all([text(ran.stderr), once(ran, 'exit')]);
    t.equal(code, 2, input);
    t.match(said, reason);
  }
  t.equal(contract.documents.size, before);
  const empty = child('"$0" "$1" put - < /dev/null');
  t.same(await once(empty, 'exit'), [0, null], 'an empty input is one');
});

t.test('a write that fails in the middle is told, and leaves neither half a file nor a part', async (t) => {
  const { folder, child, output } = await setUp(t);
  writeFileSync(output, 'before');
  const ran = child(`trap '' XFSZ; ulimit -f 1000; "$0" "$1" get "$2" -o ${output}`);
  const [said, [code]] = await Promise.all([text(ran.stderr), once(ran, 'exit')]);
  t.equal(code, 2);
  t.match(said, /scan\.pdf: It cannot be written: EFBIG/);
  t.same(readdirSync(folder), ['scan.pdf']);
  t.equal(readFileSync(output, 'utf8'), 'before');
});

t.test('a range and a document that is gone leave no part behind', async (t) => {
  const { contract, folder, get, output } = await setUp(t);
  t.equal((await get('--range', '10-19', '-o', output)).code, 0);
  t.ok(readFileSync(output).equals(bytes.subarray(10, 20)));
  contract.faults.cutDownloadsAfter.push(5, ...Array.from({ length: 20 }, () => 0));
  t.equal((await get('--range', '10-19', '-o', join(folder, 'other'))).code, 5);
  t.same(readdirSync(folder), ['scan.pdf']);
});

t.test('names as long as a name may be, and folders that are not there', async (t) => {
  const { folder, get } = await setUp(t);
  const long = join(folder, 'ä'.repeat(127));
  t.equal((await get('-o', long)).code, 0);
  t.ok(readFileSync(long).equals(bytes));
  t.match(await get('-o', join(folder, 'no', 'file')), { code: 2, stderr: /There is no folder .*no/ });
  t.match(await get('-o', folder), { code: 2, stderr: /is a folder/ });
  t.match(await get('-o', ''), { code: 2, stderr: /its name is empty/ });
  t.match(await get('-o', `${join(folder, 'new')}/`), { code: 2, stderr: /There is no folder .*new\/, and -o names the file/ });
  t.notOk(existsSync(join(folder, 'new')));
  t.match(await get('-o', '/proc/self/comm'), { code: 2, stderr: /takes no new file \(ENOENT\)/ });
});

t.test('a terminal is shown text and nothing else, unless -o - says so', async (t) => {
  const { contract, add } = await setUp(t);
  const cases: [string, Buffer, boolean][] = [
    ['1', Buffer.from('Größe\tund\nZeile\r\n'), true],
    ['2', Buffer.from('\u001b]0;title\u0007'), false],
    ['3', Buffer.from([0x25, 0x50, 0xff, 0x00]), false],
    ['4', Buffer.from('\u009b31m'), false],
    ['5', Buffer.alloc(0), true],
  ];
  for (const [digit, content, isText] of cases) {
    const id = add(digit, content);
    const { code, stdout, stderr } = await runCommand(['get', id], { url: contract.url, shown: true });
    t.equal(code, isText ? 0 : 2);
    t.ok(stdout.equals(isText ? content : Buffer.alloc(0)));
    if (!isText) t.match(stderr, /-o FILE, or force it with -o -/);
    t.ok((await runCommand(['get', id, '-o', '-'], { url: contract.url, shown: true })).stdout.equals(content));
    t.ok((await runCommand(['get', id], { url: contract.url })).stdout.equals(content), 'a pipe takes all');
  }
});

async function etagOf(contract: ContractServer): Promise<string> {
  const id = [...contract.documents.keys()][0];
  return (await fetch(`${contract.url}/v1/documents/${id}/content`, { method: 'HEAD' })).headers.get('etag') as string;
}

/** A name as a command that writes now has it. */
async function ownName(output: string, content: string): Promise<string> {
  const file = await ReplacedFile.create(await requireFilePlace(`${output}`), { content });
  await file.write(Buffer.from('x'));
  const folder = join(output, '..');
  const name = readdirSync(folder).find((one) => one.includes(tagOf(content)) && one !== basename(output)) as string;
  await file.discard();
  return join(folder, name);
}
