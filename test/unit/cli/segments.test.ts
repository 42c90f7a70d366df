import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { IdSet } from '../../../src/cli/id-set.ts';
import { blake3 } from '../../../src/core/blake3.ts';
import { type BlockId, digestToHex } from '../../../src/core/digest.ts';
import { LocalNode } from '../../../src/graviton/local-node.ts';
import { nodeOptions } from '../../helpers/node-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { MemoryStore, uuid } from './memory-store.ts';
import { runCommand } from './run-command.ts';

const scan = randomBytes(300_000);
const note = Buffer.from('a short note');

/** A data folder with two documents, as a stopped server leaves it. */
async function dataFolder(t: Test) {
  const data = temporaryFolder(t);
  const output = join(temporaryFolder(t), 'out.bin');
  const store = new MemoryStore();
  const roots = [
    store.store(scan, { document: 'a', filename: 'scan.pdf', createdAtMs: 1, blockSize: 100_000 }),
    store.store(note, { document: 'b', filename: 'note\u202e.txt', createdAtMs: 2 }),
    store.store(Buffer.alloc(0), { document: 'c', createdAtMs: 3 }),
  ] as const;
  await writeBlocks(data, store);
  return { data, output, store, roots };
}

async function writeBlocks(data: string, store: MemoryStore): Promise<void> {
  mkdirSync(data, { recursive: true });
  const node = await LocalNode.open(nodeOptions(join(data, 'node')));
  for (const [id, bytes] of store.blocks) {
    await node.putBlocks([{ kind: store.manifests.includes(id) ? 'manifest' : 'data', id, bytes }]);
  }
  await node.close();
}

/** Turns a bit of the stored copy of `bytes` over, wherever it lies. */
function damage(data: string, bytes: Buffer): void {
  const folder = join(data, 'node', 'seg');
  for (const name of readdirSync(folder)) {
    const at = readFileSync(join(folder, name)).indexOf(bytes.subarray(0, 64));
    if (at < 0) continue;
    // A sealed file is read-only, so a damaged copy takes its place.
    const content = readFileSync(join(folder, name));
    content[at + 5] = (content[at + 5] as number) ^ 8;
    rmSync(join(folder, name));
    writeFileSync(join(folder, name), content);
    return;
  }
  throw new Error('the bytes are in no segment');
}

t.test('segments alone name every blob', async (t) => {
  const { data, roots } = await dataFolder(t);
  const { code, json, stderr } = await runCommand(['ls', '--segments', '--data', data, '--json']);
  t.equal(code, 0, stderr);
  t.same(
    json
      .map(({ key, filename, size, documentId }) => ({ key, filename, size, documentId }))
      .sort((a, b) => Number(b.size) - Number(a.size)),
    [
      { key: roots[0].blob, filename: 'scan.pdf', size: 300_000, documentId: uuid('a') },
      { key: roots[1].blob, filename: 'note\u202e.txt', size: 12, documentId: uuid('b') },
      { key: roots[2].blob, filename: null, size: 0, documentId: uuid('c') },
    ],
  );
  const plain = (await runCommand(['ls', '--segments', '--data', data])).stdout.toString();
  t.match(plain, new RegExp(`${roots[0].blob} {2}${uuid('1')} {2}${uuid('a')} .* 293\\.0 KiB {2}scan\\.pdf\n`));
  t.match(plain, /note\\u\{202e\}\.txt\n/);
  t.match(
    (await runCommand(['ls', '--segments', '--data', join(data, 'node')])).stdout.toString(),
    /scan\.pdf/,
    "the node's own folder will do",
  );
});

t.test('segments alone give every blob back, whole and in ranges', async (t) => {
  const { data, output, roots } = await dataFolder(t);
  const whole = await runCommand(['get', roots[0].blob, '--segments', '--data', data, '-o', output, '--json']);
  t.equal(whole.code, 0, whole.stderr);
  t.ok(readFileSync(output).equals(scan));
  t.match(whole.json, [{ file: output, filename: 'scan.pdf', digests: { sha256: roots[0].sha256 } }]);
  const byDocument = await runCommand(['get', uuid('b'), '--segments', '--data', data]);
  t.ok(byDocument.stdout.equals(note));
  const range = await runCommand(['get', uuid('a'), '--segments', '--data', data, '--range', '99999-200000']);
  t.ok(range.stdout.equals(scan.subarray(99_999, 200_001)));
  t.equal((await runCommand(['get', uuid('c'), '--segments', '--data', data])).stdout.length, 0);
  t.equal((await runCommand(['get', uuid('d'), '--segments', '--data', data])).code, 3);
  t.equal((await runCommand(['get', uuid('b'), '--segments', '--data', data, '--range', '99-'])).code, 4);
});

t.test("an id that two organisations chose is never read from the other's bytes", async (t) => {
  const data = temporaryFolder(t);
  const store = new MemoryStore();
  const ours = store.store(scan, { org: '1', document: 'a', filename: 'ours.pdf', createdAtMs: 1 });
  store.store(note, { org: '2', document: 'a', filename: 'theirs.txt', createdAtMs: 2 });
  await writeBlocks(data, store);
  for (const command of ['get', 'verify']) {
    const segments = command === 'get' ? ['--segments'] : [];
    const refused = await runCommand([command, uuid('a'), ...segments, '--data', data]);
    t.equal(refused.code, 4);
    t.match(refused.stderr, new RegExp(`2 organisations have a document .*${uuid('1')}, ${uuid('2')}.*--org`));
    t.equal(refused.stdout.length, 0);
    t.equal((await runCommand([command, uuid('a'), ...segments, '--org', uuid('3'), '--data', data])).code, 3);
  }
  const got = await runCommand(['get', uuid('a'), '--segments', '--org', uuid('1'), '--data', data]);
  t.ok(got.stdout.equals(scan));
  const whole = await runCommand(['verify', uuid('a'), '--org', uuid('1'), '--data', data, '--json']);
  t.match(whole.json, [{ healthy: true, orgId: uuid('1'), key: ours.blob }]);
  const listed = await runCommand(['ls', '--segments', '--data', data, '--json']);
  t.same(
    listed.json.map(({ orgId, filename }) => [orgId, filename]),
    [
      [uuid('1'), 'ours.pdf'],
      [uuid('2'), 'theirs.txt'],
    ],
  );
  t.equal((await runCommand(['ls', '--segments', '--org', uuid('2'), '--data', data, '--json'])).json.length, 1);
  t.equal((await runCommand(['ls', '--org', uuid('2')])).code, 2, 'a server takes it from the key');
  t.equal((await runCommand(['verify', '--org', uuid('2'), '--data', data])).code, 2);
});

t.test('verify finds nothing where nothing is', async (t) => {
  const { data, roots } = await dataFolder(t);
  const all = await runCommand(['verify', '--data', data, '--json']);
  t.equal(all.code, 0, all.stderr);
  t.match(all.json, [{ finding: 'summary', healthy: true, records: 7, versions: 3, damagedRecords: 0, lostBlocks: 0 }]);
  t.match((await runCommand(['verify', '--data', data])).stdout.toString(), /^All is whole: 7 records, /);
  const one = await runCommand(['verify', roots[0].blob, '--data', data]);
  t.equal(one.code, 0);
  t.match(one.stdout.toString(), /^scan\.pdf is whole: 293\.0 KiB, b3:/);
});

t.test('a flipped bit is told as bytes of the document it hits, and ends with 6', async (t) => {
  const { data, output, roots } = await dataFolder(t);
  damage(data, scan.subarray(100_000));
  const all = await runCommand(['verify', '--data', data]);
  t.equal(all.code, 6);
  t.match(
    all.stdout.toString(),
    /^Segment \d+, byte [\d,]+: the data record of 100,000 bytes is damaged: its content has the BLAKE3/,
  );
  t.match(
    all.stdout.toString(),
    /\nscan\.pdf \(organisation .*, document .*, 300,000 bytes\) is not whole:\n {2}bytes 100,000 to 199,999 cannot be read: block [0-9a-f]{64} is damaged\n/,
  );
  t.match(all.stdout.toString(), /\nDAMAGE: 1 blocks are lost, 1 versions are not whole, 0 manifests cannot be read\./);
  const json = (await runCommand(['verify', '--data', data, '--json'])).json;
  t.match(json, [
    { finding: 'record', size: 100_000, marked: false },
    { finding: 'blob', documentId: uuid('a'), gaps: [{ start: 100_000, end: 200_000 }] },
    { finding: 'summary', healthy: false, lostBlocks: 1, damagedVersions: 1 },
  ]);

  t.equal((await runCommand(['verify', roots[0].blob, '--data', data])).code, 6);
  t.equal((await runCommand(['verify', roots[1].blob, '--data', data])).code, 0, 'the other blob is whole');
  const got = await runCommand(['get', roots[0].blob, '--segments', '--data', data, '-o', output]);
  t.equal(got.code, 6);
  t.match(got.stderr, /Block [0-9a-f]{64} does not have the content it was stored with\.|no longer match/);
  const rest = await runCommand(['get', roots[0].blob, '--segments', '--data', data, '--range', '200000-']);
  t.ok(rest.stdout.equals(scan.subarray(200_000)), 'what is whole can still be had');
});

t.test('a damaged manifest hides no other document', async (t) => {
  const { data, store } = await dataFolder(t);
  const manifest = store.blocks.get(store.manifests[0] as BlockId) as Buffer;
  damage(data, manifest);
  const listed = await runCommand(['ls', '--segments', '--data', data, '--json']);
  t.equal(listed.code, 6);
  t.equal(listed.json.length, 2);
  t.match(listed.stderr, /1 manifests cannot be read/);
  const all = await runCommand(['verify', '--data', data, '--json']);
  t.equal(all.code, 6);
  t.match(all.json.at(-1), { unreadableManifests: 1, versions: 2 });
});

t.test('a block that was stored again after damage is whole', async (t) => {
  const { data, store } = await dataFolder(t);
  damage(data, scan.subarray(100_000));
  const block = scan.subarray(100_000, 200_000);
  const id = digestToHex<BlockId>(blake3(block));
  const node = await LocalNode.open(nodeOptions(join(data, 'node')));
  await node.putBlocks([{ kind: 'data', id, bytes: store.blocks.get(id) as Buffer }]);
  await node.close();
  const { code, stdout } = await runCommand(['verify', '--data', data]);
  t.equal(code, 0, stdout.toString());
  t.match(
    stdout.toString(),
    /is damaged: .* It is marked already\.\n.*All is whole: .* 1 damaged records are whole elsewhere\./s,
  );
});

t.test('a folder without a node is named, with what to give instead', async (t) => {
  const folder = temporaryFolder(t);
  for (const line of [['verify'], ['ls', '--segments'], ['get', uuid('a'), '--segments']]) {
    const { code, stderr } = await runCommand([...line, '--data', folder]);
    t.equal(code, 2);
    t.match(stderr, /holds no storage node; --data names the folder/);
  }
});

t.test(
  'inspect-segment prints superblock, records, commit frames and footer, and leaves the records out when asked',
  async (t) => {
    const { data, store } = await dataFolder(t);
    const segment = join(data, 'node', 'seg', readdirSync(join(data, 'node', 'seg')).sort()[0] as string);
    const full = (await runCommand(['inspect-segment', segment])).stdout.toString();
    const summary = (await runCommand(['inspect-segment', segment, '--summary'])).stdout.toString();
    for (const text of [full, summary]) {
      t.match(text, /^superblock {3}segment 1, /m);
      t.match(text, /^batch 1 .*, commit frame at [\d,]+, running hash /m);
      t.match(text, /^footer {7}[\d,]+–[\d,]+: \d+ records? in /m);
    }
    for (const id of store.blocks.keys()) {
      t.equal(full.split('\n').filter((line) => line.endsWith(`, ${id}`)).length, 1, 'a line for each record');
      t.notOk(summary.includes(id));
    }
    const [report] = (await runCommand(['inspect-segment', segment, '--json'])).json as [{ batches: { records: unknown[] }[] }];
    t.equal(report.batches.flatMap(({ records }) => records).length, store.blocks.size);
  },
);

t.test('inspect-segment tells a whole segment from a damaged one', async (t) => {
  const { data } = await dataFolder(t);
  const segment = join(data, 'node', 'seg', readdirSync(join(data, 'node', 'seg')).sort()[0] as string);
  const whole = await runCommand(['inspect-segment', segment]);
  t.equal(whole.code, 0);
  t.match(whole.stdout.toString(), /superblock/);
  damage(data, scan);
  t.equal((await runCommand(['inspect-segment', segment, '--json'])).code, 6);
  t.equal((await runCommand(['inspect-segment', segment, '--quick'])).code, 0, 'contents are not hashed then');
  t.equal((await runCommand(['inspect-segment', join(data, 'no-such-file')])).code, 2);
  symlinkSync(segment, join(data, 'link'));
  t.equal((await runCommand(['inspect-segment', join(data, 'link'), '--quick'])).code, 0);
  t.match((await runCommand(['inspect-segment', data])).stderr, /It is a folder/);
});

t.test('an id set holds what was added and nothing else', (t) => {
  const ids = Array.from({ length: 5000 }, (_, index) => digestToHex<BlockId>(blake3(Buffer.from(`${index}`))));
  const set = new IdSet();
  t.notOk(set.has(ids[0] as BlockId));
  for (const id of ids.slice(0, 2500)) set.add(id);
  t.ok(ids.slice(0, 2500).every((id) => set.has(id)));
  t.notOk(ids.slice(2500).some((id) => set.has(id)));
  set.add(ids[4000] as BlockId);
  t.ok(set.has(ids[4000] as BlockId));
  t.end();
});
