import fc from 'fast-check';
import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { MANIFEST_REASON_MAX, MANIFEST_REPLACED_MAX } from '../../../src/segment/format.ts';
import {
  decodeManifest,
  decodeManifestEntry,
  encodeManifestEntry,
  type ManifestEntry,
} from '../../../src/segment/segment-manifest.ts';
import { flipBit } from '../../helpers/flip-bit.ts';

const timeMs = 1_700_000_000_000;
const id = 'ab'.repeat(32) as BlockId;
const samples: readonly ManifestEntry[] = [
  { kind: 'create', segment: 1, salt: 0xfedc_ba98_7654_3210n },
  { kind: 'seal', segment: 1, fileSize: 8192, recordBytes: 192, count: 1, root: 'cd'.repeat(32) },
  { kind: 'replace', segment: 3, replaced: [1, 2] },
  { kind: 'replace', segment: 3, replaced: [] },
  { kind: 'drop', segment: 2 },
  { kind: 'suspect', segment: 0, reason: 'fdatasync: EIO' },
  { kind: 'damage', segment: 3, offset: 4096, id, reason: 'the payload does not match its id' },
  { kind: 'accept', reason: '' },
  { kind: 'whole', segment: 3, offset: 4096, id },
  { kind: 'lost', segment: 3, reason: 'J. Doe: the disk is beyond repair' },
];

function encodeAll(entries: readonly ManifestEntry[]): Buffer {
  return Buffer.concat(entries.map((entry, index) => encodeManifestEntry({ number: index + 1, timeMs, entry })));
}

t.test('every kind of entry survives encoding and decoding', (t) => {
  const content = decodeManifest(encodeAll(samples));
  t.strictSame(
    content.entries.map(({ entry }) => entry),
    samples,
  );
  t.strictSame(
    content.entries.map(({ number }) => number),
    samples.map((_, index) => index + 1),
  );
  t.equal(content.fault, undefined);
  t.end();
});

t.test('version 1 bytes stay what they are', (t) => {
  const bytes = encodeManifestEntry({ number: 1, timeMs, entry: { kind: 'create', segment: 2, salt: 3n } });
  t.equal(
    bytes.toString('hex'),
    [
      '514d4645',
      '01',
      '01',
      '0000',
      '30000000',
      '8959542a',
      '0100000000000000',
      '0068e5cf8b010000',
      '0200000000000000',
      '0300000000000000',
    ].join(''),
  );
  t.end();
});

t.test('a reason is cut at a whole character', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2 * MANIFEST_REASON_MAX }), (reason) => {
      const decoded = decodeManifestEntry(encodeManifestEntry({ number: 1, timeMs, entry: { kind: 'accept', reason } }));
      if (decoded instanceof Fault || decoded.numbered.entry.kind !== 'accept') return false;
      const kept = decoded.numbered.entry.reason;
      return Buffer.byteLength(kept) <= MANIFEST_REASON_MAX && Buffer.from(reason).toString().startsWith(kept);
    }),
  );
  t.end();
});

t.test('as many segments as allowed are replaced in one entry', (t) => {
  const entry: ManifestEntry = {
    kind: 'replace',
    segment: 9,
    replaced: Array.from({ length: MANIFEST_REPLACED_MAX }, (_, index) => index + 1),
  };
  t.strictSame(decodeManifest(encodeAll([entry])).entries[0]?.entry, entry);
  t.end();
});

t.test('any single flipped bit in the last entry is a torn tail, in an earlier one damage', (t) => {
  const head = encodeAll(samples.slice(0, 1));
  const two = encodeAll(samples.slice(0, 2));
  for (let bit = 0; bit < two.byteLength * 8; bit++) {
    const content = decodeManifest(flipBit(two, bit));
    const early = bit < head.byteLength * 8;
    if (content.fault === undefined || content.damaged !== early || content.end !== (early ? 0 : head.byteLength))
      t.fail(`bit ${bit}`);
  }
  t.pass('all were noticed');
  t.end();
});

t.test('every truncation keeps the whole entries and names the rest a tail', (t) => {
  const bytes = encodeAll(samples);
  const ends = samples.map((_, index) => encodeAll(samples.slice(0, index + 1)).byteLength);
  for (let size = 0; size <= bytes.byteLength; size++) {
    const content = decodeManifest(bytes.subarray(0, size));
    const whole = ends.filter((end) => end <= size).length;
    t.equal(content.entries.length, whole);
    t.equal(content.end, ends[whole - 1] ?? 0);
    t.equal(content.fault === undefined, size === content.end);
    t.equal(content.damaged, false);
  }
  t.end();
});

t.test('a repeated entry is no entry', (t) => {
  const entry = encodeManifestEntry({ number: 1, timeMs, entry: samples[0] as ManifestEntry });
  const content = decodeManifest(Buffer.concat([entry, entry]));
  t.equal(content.entries.length, 1);
  t.match(content.fault, /entry 1 stands where entry 2 should/);
  t.equal(content.damaged, false);
  t.end();
});
