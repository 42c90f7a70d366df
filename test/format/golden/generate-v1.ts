/**
 * Made the committed directory `v1/`: node dist/test/format/golden/generate-v1.js TARGET. Golden files are never made
 * again for a version that has been released; this stays to show what is in them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { limits } from '../../../src/core/limits.ts';
import { nodePaths } from '../../../src/segment/format.ts';
import { ManifestFile } from '../../../src/segment/manifest-file.ts';
import { writeNodeIdentity } from '../../../src/segment/node-identity.ts';
import { encodeManifestEntry, type ManifestEntry } from '../../../src/segment/segment-manifest.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import {
  nodeDirectory,
  nodeId,
  openWriter,
  patterned,
  recordOf,
  segmentPath,
  stillClock,
  testSuperblock,
} from '../../helpers/segment-fixture.ts';

const segmentSize = 32 * 1024;
const files = new MemoryFiles();
const clock = stillClock();

await writeNodeIdentity(files, nodeDirectory, {
  nodeId,
  clusterId: '018f0000-0000-7000-8000-0000000000ff',
  createdMs: clock.now(),
  segmentSize,
  blockSizeMax: limits.blockSizeMax,
});
const { manifest } = await ManifestFile.open({ files, directory: nodeDirectory, clock });
const { writer, sealed } = openWriter(files, { segmentSize });

await manifest.append({ kind: 'create', segment: 1, salt: testSuperblock(1).salt });
await writer.append([recordOf('Hello, court.'), recordOf('a manifest, opaque to the segment', 'manifest')]);
await writer.append([
  recordOf(patterned(3000, 1)),
  recordOf('a piece', 'piece'),
  { ...recordOf('Hello, court.', 'tombstone'), bytes: new Uint8Array(0) },
]);
await writer.sealActive();
const [first] = sealed;
if (first === undefined) throw new Error('the first segment is sealed');
const { fileSize, recordBytes, count, root } = first;
await manifest.append({ kind: 'seal', segment: 1, fileSize, recordBytes, count, root });

await manifest.append({ kind: 'create', segment: 2, salt: testSuperblock(2).salt });
await writer.append([recordOf('acknowledged')]);
await writer.append([recordOf('cut off before its frame')]);
const unsealed = files.content(segmentPath(2));
// The second batch is 192 bytes of record; its frame goes, as a power cut may have it.
const torn = Buffer.from(unsealed.subarray(0, 8192 + 192 + 64));

const everyKind: readonly ManifestEntry[] = [
  { kind: 'create', segment: 1, salt: 0xfedc_ba98_7654_3210n },
  { kind: 'seal', segment: 1, fileSize: 20_480, recordBytes: 3648, count: 5, root },
  { kind: 'replace', segment: 3, replaced: [1, 2] },
  { kind: 'drop', segment: 1 },
  { kind: 'suspect', segment: 3, reason: 'fdatasync of segment 3: EIO' },
  { kind: 'damage', segment: 3, offset: 4096, id: recordOf('Hello, court.').id, reason: 'the payload does not match its id' },
  { kind: 'accept', reason: 'disk replaced' },
];

save(nodePaths.identity, files.content(join(nodeDirectory, nodePaths.identity)));
save(nodePaths.manifest, files.content(join(nodeDirectory, nodePaths.manifest)));
save(
  'MANIFEST-of-every-kind',
  Buffer.concat(everyKind.map((entry, index) => encodeManifestEntry({ number: index + 1, timeMs: clock.now(), entry }))),
);
save('seg/0000000000000001.seg', files.content(segmentPath(1)));
save('seg/0000000000000002.seg', torn);
await writer.close();

function save(name: string, content: Uint8Array): void {
  const path = join(process.argv[2] as string, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { flag: 'wx' });
}
