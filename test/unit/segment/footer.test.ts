import fc from 'fast-check';
import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { decodeFooter, decodeTrailer, type Footer, FooterBuilder, type FooterEntry } from '../../../src/segment/footer.ts';
import { FOOTER_TRAILER, footerSize, PAGE_SIZE, recordSpan } from '../../../src/segment/format.ts';
import { flipBit } from '../../helpers/flip-bit.ts';

const mark = { segment: 1, saltBits: 42 };
const root = 'cd'.repeat(32);
const at = 1024 * PAGE_SIZE;

function entryOf(id: string, index: number): FooterEntry {
  return { id: id as BlockId, kind: 'data', offset: 4096 + index * 192, storedSize: 64, sequence: index + 1, batch: 1 };
}

function encode(entries: readonly FooterEntry[]): Buffer {
  const builder = new FooterBuilder();
  for (const entry of entries) builder.add(entry);
  return builder.encode(mark, at, root).bytes;
}

function decode(bytes: Buffer): Footer {
  const footer = decodeFooter(bytes, mark, at);
  if (footer instanceof Fault) throw new Error(footer.meaning);
  return footer;
}

const hexId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
/** Ids that agree in their first bytes take the slow path of the ordering. */
const closeId = fc.tuple(fc.constantFrom('00', 'ff', 'abcdefabcdef'), hexId).map(([head, tail]) => (head + tail).slice(0, 64));

t.test('a footer lists its entries in order of id, then offset, and finds each', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(hexId, closeId), { maxLength: 200 }), (ids) => {
      const entries = ids.map(entryOf);
      const footer = decode(encode(entries));
      const expected = [...entries].sort((left, right) =>
        left.id === right.id ? left.offset - right.offset : left.id < right.id ? -1 : 1,
      );
      t.strictSame([...footer.entries()], expected);
      for (const { id } of entries)
        t.strictSame(
          footer.find(id),
          entries.filter((entry) => entry.id === id),
        );
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test('an id that was not written is not found', (t) => {
  const footer = decode(encode([entryOf('00'.repeat(32), 0), entryOf('ff'.repeat(32), 1)]));
  t.strictSame(footer.find('01'.repeat(32) as BlockId), []);
  t.strictSame(footer.find(`00${'01'.repeat(31)}` as BlockId), []);
  t.end();
});

t.test('a footer of nothing is one footer', (t) => {
  const footer = decode(encode([]));
  t.strictSame(footer.summary, { root, recordBytes: 0, count: 0 });
  t.strictSame([...footer.entries()], []);
  t.end();
});

t.test('a footer counts record bytes with headers and padding', (t) => {
  const entries = [1, 2, 3].map((index) => ({ ...entryOf(`0${index}`.repeat(32), index), storedSize: index * 100 }));
  t.equal(decode(encode(entries)).summary.recordBytes, recordSpan(100) + recordSpan(200) + recordSpan(300));
  t.end();
});

t.test('any single flipped bit is a fault', (t) => {
  const bytes = encode([entryOf('12'.repeat(32), 0), entryOf('34'.repeat(32), 1)]);
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    if (!(decodeFooter(flipBit(bytes, bit), mark, at) instanceof Fault)) t.fail(`bit ${bit} goes unnoticed`);
  }
  t.pass('all were noticed');
  t.end();
});

t.test('every truncation is a fault', (t) => {
  const bytes = encode([entryOf('12'.repeat(32), 0)]);
  for (let size = 0; size < bytes.byteLength; size += 16) {
    t.ok(decodeFooter(bytes.subarray(0, size), mark, at) instanceof Fault);
    t.ok(decodeFooter(bytes.subarray(bytes.byteLength - size), mark, at) instanceof Fault);
  }
  t.end();
});

t.test('a footer is refused in another segment and at another place', (t) => {
  const bytes = encode([entryOf('12'.repeat(32), 0)]);
  t.ok(decodeFooter(bytes, { ...mark, segment: 2 }, at) instanceof Fault);
  t.ok(decodeFooter(bytes, mark, at + PAGE_SIZE) instanceof Fault);
  t.end();
});

t.test('a trailer that claims more than a footer may have is refused before anything is read', (t) => {
  const bytes = encode([]);
  const trailer = Buffer.from(bytes.subarray(bytes.byteLength - FOOTER_TRAILER.size));
  trailer.writeBigUInt64LE(2n ** 60n, FOOTER_TRAILER.fields.footerSize.at);
  t.match(decodeTrailer(trailer), { meaning: 'the footer claims an impossible size' });
  trailer.writeBigUInt64LE(BigInt(footerSize(70_000)), FOOTER_TRAILER.fields.footerSize.at);
  trailer.writeUInt32LE(70_000, FOOTER_TRAILER.fields.count.at);
  t.match(decodeTrailer(trailer), { meaning: 'the footer claims an impossible size' });
  t.end();
});

t.test('entries that point behind the footer are refused', (t) => {
  t.match(decodeFooter(encode([{ ...entryOf('12'.repeat(32), 0), offset: at }]), mark, at), {
    meaning: 'entry 0 of the footer is impossible',
  });
  t.end();
});
