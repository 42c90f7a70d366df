import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import { NODE_ITSELF, SegmentLedger } from '../../../src/graviton/segment-ledger.ts';
import type { ManifestEntry } from '../../../src/segment/segment-manifest.ts';

const id = 'a'.repeat(64) as BlockId;

function ledgerOf(...entries: ManifestEntry[]): SegmentLedger {
  return SegmentLedger.of(entries.map((entry, index) => ({ number: index + 1, timeMs: 1000 + index, entry })));
}

function seal(segment: number): ManifestEntry {
  return { kind: 'seal', segment, fileSize: 8192, recordBytes: 100, count: 1, root: 'ab' };
}

t.test('a created segment is open until it is sealed', async (t) => {
  const open = ledgerOf({ kind: 'create', segment: 7, salt: 0x1_0000_00ffn });
  t.match(open.find(7), { segment: 7, mark: { segment: 7, saltBits: 0xff }, createdMs: 1000, sealed: undefined });
  t.match(ledgerOf({ kind: 'create', segment: 7, salt: 1n }, seal(7)).find(7), { sealed: { fileSize: 8192, root: 'ab' } });
});

t.test('segments come in order, and the highest id ever used is remembered', async (t) => {
  const ledger = ledgerOf(
    { kind: 'create', segment: 3, salt: 1n },
    { kind: 'create', segment: 1, salt: 1n },
    { kind: 'create', segment: 9, salt: 1n },
    { kind: 'drop', segment: 9 },
  );
  t.same(
    ledger.segments.map(({ segment }) => segment),
    [1, 3],
  );
  t.equal(ledger.lastSegment, 9);
  t.ok(ledger.wasDropped(9));
});

t.test('a replaced segment is gone, its replacement stays', async (t) => {
  const ledger = ledgerOf(
    { kind: 'create', segment: 1, salt: 1n },
    { kind: 'create', segment: 2, salt: 1n },
    { kind: 'replace', segment: 2, replaced: [1] },
  );
  t.equal(ledger.find(1), undefined);
  t.ok(ledger.wasDropped(1));
  t.ok(ledger.find(2));
});

t.test('a seal of a segment nobody created is no segment', async (t) => {
  t.same(ledgerOf(seal(4)).segments, []);
});

t.test('a record is damaged at its place only', async (t) => {
  const ledger = ledgerOf({ kind: 'damage', segment: 1, offset: 4096, id, reason: 'test' });
  t.ok(ledger.isDamaged(id, { segment: 1, offset: 4096 }));
  t.notOk(ledger.isDamaged(id, { segment: 1, offset: 8192 }));
  t.notOk(ledger.isDamaged(id, { segment: 2, offset: 4096 }));
  t.notOk(ledger.isDamaged('b'.repeat(64) as BlockId, { segment: 1, offset: 4096 }));
  t.equal([...ledger.damage()].length, 1);
});

t.test('accepting the disk clears the node and leaves the segments suspect', async (t) => {
  const suspect: ManifestEntry[] = [
    { kind: 'suspect', segment: 3, reason: 'fdatasync' },
    { kind: 'suspect', segment: NODE_ITSELF, reason: 'fdatasync' },
  ];
  t.equal(ledgerOf(...suspect).nodeSuspect, 'fdatasync');
  const accepted = ledgerOf(...suspect, { kind: 'accept', reason: 'cable' });
  t.equal(accepted.nodeSuspect, undefined);
  t.ok(accepted.isSuspect(3));
});
