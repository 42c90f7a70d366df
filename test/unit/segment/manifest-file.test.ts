import { join } from 'node:path';
import t from 'tap';
import { ManifestFile } from '../../../src/segment/manifest-file.ts';
import { encodeManifestEntry } from '../../../src/segment/segment-manifest.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import { nodeDirectory, stillClock } from '../../helpers/segment-fixture.ts';

const path = join(nodeDirectory, 'MANIFEST');

function open(files: MemoryFiles) {
  return ManifestFile.open({ files, directory: nodeDirectory, clock: stillClock() });
}

t.test('appended entries survive a power cut as soon as append resolves', async (t) => {
  const files = new MemoryFiles();
  const { manifest } = await open(files);
  await Promise.all([manifest.append({ kind: 'create', segment: 1, salt: 5n }), manifest.append({ kind: 'drop', segment: 1 })]);
  const { content } = await open(files.crash(() => false));
  t.strictSame(
    content.entries.map(({ number, entry }) => [number, entry.kind]),
    [
      [1, 'create'],
      [2, 'drop'],
    ],
  );
});

t.test('a torn tail is copied to quarantine and cut, and the next entry follows the last good one', async (t) => {
  const files = new MemoryFiles();
  const first = encodeManifestEntry({ number: 1, timeMs: 1, entry: { kind: 'drop', segment: 1 } });
  files.put(path, Buffer.concat([first, Buffer.from('half an entry')]));
  const { manifest, content } = await open(files);
  t.equal(content.entries.length, 1);
  const [copy] = await files.list(join(nodeDirectory, 'quarantine'));
  t.equal(files.content(join(nodeDirectory, 'quarantine', copy as string)).toString(), 'half an entry');
  await manifest.append({ kind: 'drop', segment: 2 });
  const again = await open(files.crash(() => false));
  t.equal(again.content.entries.length, 2);
  t.equal(again.content.fault, undefined);
});

t.test('damage in the middle is refused and left as it is', async (t) => {
  const files = new MemoryFiles();
  const entries = [1, 2].map((number) => encodeManifestEntry({ number, timeMs: 1, entry: { kind: 'drop', segment: number } }));
  const bytes = Buffer.concat(entries);
  bytes[20] = 0xff;
  files.put(path, bytes);
  await t.rejects(open(files), { code: 'corrupt' });
  t.same(files.content(path), bytes);
});

t.test('after a failed append nothing more is written', async (t) => {
  const files = new MemoryFiles();
  const { manifest } = await open(files);
  files.hook = (step) => {
    if (step.op === 'dataSync') throw failure('EIO');
    return undefined;
  };
  await t.rejects(manifest.append({ kind: 'drop', segment: 1 }), { code: 'EIO' });
  files.hook = () => undefined;
  const writes = files.steps.filter((step) => step.op === 'write').length;
  await t.rejects(manifest.append({ kind: 'drop', segment: 2 }), { code: 'node_read_only' });
  t.equal(files.steps.filter((step) => step.op === 'write').length, writes);
});
