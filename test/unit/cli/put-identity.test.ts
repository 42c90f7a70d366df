import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { ContractServer } from './contract-server.ts';
import { type Ran, runCommand } from './run-command.ts';

const small = Buffer.from('paper');
const large = randomBytes(limits.putOneShotMax + 17);

async function setUp(t: Test) {
  const contract = await ContractServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'quasar-identity-'));
  for (const name of ['a', 'b']) mkdirSync(join(folder, name));
  t.teardown(async () => {
    await contract.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (...line: string[]) => runCommand(['put', ...line, '--json'], { url: contract.url });
  return { contract, folder, put, path: join(folder, 'a', 'scan.pdf') };
}

const documentOf = ({ json }: Ran) => json[0]?.documentId as string;

for (const [size, bytes] of Object.entries({ small, large })) {
  t.test(`a ${size} file that is touched, moved, copied or linked is the same document`, async (t) => {
    const { contract, folder, put, path } = await setUp(t);
    writeFileSync(path, bytes);
    const documentId = documentOf(await put(path));
    const other = join(folder, 'b', 'scan.pdf');
    const ways: Record<string, () => void> = {
      touched: () => utimesSync(path, 1, 1),
      copied: () => copyFileSync(path, other),
      moved: () => renameSync(path, other),
      'hard-linked': () => linkSync(other, path),
      linked: () => {
        rmSync(path);
        symlinkSync(other, path);
      },
    };
    for (const [way, change] of Object.entries(ways)) {
      change();
      for (const at of [path, other]) {
        if (statSync(at, { throwIfNoEntry: false }) === undefined) continue;
        t.match((await put(at)).json, [{ documentId, fresh: false }], way);
      }
    }
    t.equal(contract.documents.size, 1);
  });

  t.test(`a ${size} file that was changed is another document, its size and time the same or not`, async (t) => {
    const { contract, put, path } = await setUp(t);
    writeFileSync(path, bytes);
    const { mtime } = statSync(path);
    const first = documentOf(await put(path));
    const changed = Buffer.from(bytes);
    changed[1] = (changed[1] as number) ^ 1;
    writeFileSync(path, changed);
    utimesSync(path, mtime, mtime);
    const second = await put(path);
    t.match([second.code, second.json], [0, [{ fresh: true }]]);
    t.not(documentOf(second), first);
    t.ok(contract.documents.get(documentOf(second))?.bytes.equals(changed));
    writeFileSync(path, bytes);
    t.match((await put(path)).json, [{ documentId: first, fresh: false }], 'what it was before is known');
  });

  t.test(`equal ${size} files under two names are two documents, and under one name are one`, async (t) => {
    const { contract, folder, put } = await setUp(t);
    for (const name of ['a/1.tif', 'a/2.tif', 'b/1.tif']) writeFileSync(join(folder, name), bytes);
    const tree = await put('-r', join(folder, 'a'));
    t.equal(tree.code, 0);
    t.same([...contract.documents.values()].map(({ filename }) => filename).sort(), ['1.tif', '2.tif']);
    const twice = await put(join(folder, 'a', '1.tif'), join(folder, 'b', '1.tif'), '--parallel', '8');
    t.same(
      twice.json.map(({ fresh }) => fresh),
      [false, false],
    );
    const again = await put(join(folder, 'b', '1.tif'), '--again');
    t.match(again.json, [{ fresh: true }]);
    t.equal(contract.documents.size, 3);
  });

  t.test(`two equal ${size} files under one name, sent at once, are stored once and nothing fails`, async (t) => {
    const { contract, folder, put } = await setUp(t);
    for (const name of ['a', 'b']) writeFileSync(join(folder, name, 'x.tif'), bytes);
    const { code, json } = await put(join(folder, 'a', 'x.tif'), join(folder, 'b', 'x.tif'));
    t.equal(code, 0);
    t.same(json.map(({ fresh }) => fresh).sort(), [false, true]);
    t.equal(contract.documents.size, 1);
  });
}

t.test('--as-version makes a version only of what the current version is not, also of what it was before', async (t) => {
  const { contract, put, path } = await setUp(t);
  writeFileSync(path, 'one');
  const documentId = documentOf(await put(path));
  t.match((await put(path, '--as-version', documentId)).json, [{ documentId, fresh: false }], 'it is the current version');
  writeFileSync(path, 'two');
  t.match((await put(path, '--as-version', documentId)).json, [{ documentId, fresh: true }]);
  writeFileSync(path, 'one');
  t.match((await put(path, '--document', documentId)).json, [{ documentId, fresh: true }], 'by its older name too');
  t.equal(contract.documents.get(documentId)?.bytes.toString(), 'one');
});

t.test('--update finds the document by the path: changed is a version, unchanged is present, new is a document', async (t) => {
  const { contract, folder, put, path } = await setUp(t);
  writeFileSync(path, 'one');
  const plain = documentOf(await put(path));
  t.match((await put(path, '--update')).json, [{ documentId: plain, fresh: false }], 'what was just stored is linked');
  t.match([...contract.refs.keys()], [/^file:.+:\/.*scan\.pdf$/]);
  for (const text of ['two', 'one', 'three']) {
    writeFileSync(path, text);
    t.match((await put(path, '--update')).json, [{ documentId: plain, fresh: true }], text);
    t.match((await put(path, '--update')).json, [{ documentId: plain, fresh: false }], `${text} again`);
    t.equal(contract.documents.get(plain)?.bytes.toString(), text);
  }
  writeFileSync(join(folder, 'a', 'new.pdf'), 'new');
  const tree = await put('-r', join(folder, 'a'), '--update');
  t.same(tree.json.map(({ fresh }) => fresh).sort(), [false, true]);
  t.equal(contract.documents.size, 2);
});

t.test('--update keeps a file and its copy apart, and a moved file with its document', async (t) => {
  const { contract, folder, put } = await setUp(t);
  const at = (name: string) => join(folder, name, 'cover.txt');
  for (const name of ['case1', 'case2']) {
    mkdirSync(join(folder, name));
    writeFileSync(at(name), 'the same form');
  }
  const first = documentOf(await put(at('case1'), '--update'));
  const second = documentOf(await put(at('case2'), '--update'));
  t.not(second, first, 'a copy is a document of its own');
  writeFileSync(at('case2'), 'filled in');
  t.match((await put(at('case2'), '--update')).json, [{ documentId: second, fresh: true }]);
  t.match((await put(at('case1'), '--update')).json, [{ documentId: first, fresh: false }]);
  t.equal(contract.documents.get(first)?.bytes.toString(), 'the same form');
  renameSync(join(folder, 'case1'), join(folder, 'case3'));
  t.match((await put(at('case3'), '--update')).json, [{ documentId: first, fresh: false }], 'its document moves along');
});

t.test('an unfinished upload of other bytes to a document is not continued with these, and --again gives it up', async (t) => {
  const { contract, put, path } = await setUp(t);
  writeFileSync(path, 'first');
  const documentId = documentOf(await put(path));
  writeFileSync(path, large);
  contract.faults.cutUploadsAfter.push(1000, ...Array.from({ length: 20 }, () => 0));
  t.equal((await put(path, '--as-version', documentId)).code, 5);
  contract.faults.cutUploadsAfter.length = 0;

  writeFileSync(path, 'other');
  const refused = await put(path, '--as-version', documentId);
  t.equal(refused.code, 4);
  t.match(refused.json, [{ error: { message: /is not finished\. .*--again/ } }]);
  const forced = await put(path, '--as-version', documentId, '--again');
  t.match([forced.code, forced.json], [0, [{ documentId, size: 5 }]]);
});

t.test('what an earlier run left behind is refused with the flag that helps', async (t) => {
  const { contract, put, path } = await setUp(t);
  writeFileSync(path, small);
  for (const code of ['upload_closed', 'upload_expired', 'idempotency_mismatch', 'document_disposed']) {
    contract.faults.refuse.push({ method: 'POST', path: /documents$/, status: 409, code });
    t.match((await put(path)).json, [{ error: { code, message: /--again/ } }], code);
  }
});

t.test('pipes, devices, sockets and folders are refused by name, at once, with what to do instead', async (t) => {
  const { folder, put } = await setUp(t);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const socket = createServer().listen(join(folder, 'socket'));
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  for (const path of [pipe, '/dev/zero', '/dev/null']) {
    const { code, json } = await put(path);
    t.equal(code, 2);
    t.match(json, [{ file: path, error: { code: 'file_unreadable', message: `quasar put - < ${path}` } }]);
  }
  t.match((await put(join(folder, 'socket'))).json, [{ error: { message: 'It is a socket, not a file.' } }]);
  symlinkSync(join(folder, 'a'), join(folder, 'link'));
  writeFileSync(join(folder, 'a', 'x'), 'x');
  t.match((await put('-r', join(folder, 'link'))).json, [{ fresh: true }], 'a linked folder that is named is meant');
  t.equal((await put(join(folder, 'link'))).code, 2);
});

t.test('a file of procfs, whose size says 0, is stored as it reads', async (t) => {
  const { contract, put } = await setUp(t);
  t.equal(statSync('/proc/version').size, 0);
  const { code } = await put('/proc/version');
  t.equal(code, 0);
  t.match([...contract.documents.values()][0]?.bytes.toString(), /^Linux version .*\n$/);
});

t.test('a file that changes between reading and sending is refused by name, and its session given up', async (t) => {
  const { contract, put, path } = await setUp(t);
  writeFileSync(path, large);
  const { mtime } = statSync(path);
  contract.faults.refuse.push({ method: 'POST', path: /documents$/, status: 503, code: 'draining' });
  const running = put(path);
  while (contract.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  writeFileSync(path, randomBytes(large.length));
  utimesSync(path, mtime, mtime);
  const { code, json } = await running;
  t.equal(code, 4);
  t.match(json, [{ file: path, error: { code: 'file_changed' } }]);
  t.equal(contract.documents.size, 0);
  t.equal(contract.countOf('DELETE', /uploads/), 1);
});
