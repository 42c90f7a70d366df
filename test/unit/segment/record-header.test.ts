import fc from 'fast-check';
import t from 'tap';
import type { BlockId } from '../../../src/core/digest.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { PAYLOAD_SIZE_MAX, RECORD_HEADER } from '../../../src/segment/format.ts';
import { viewOf } from '../../../src/segment/little-endian.ts';
import { decodeRecordHeader, encodeRecordHeader, type RecordHeader } from '../../../src/segment/record-header.ts';
import { flipBit } from '../../helpers/flip-bit.ts';

const mark = { segment: 7, saltBits: 0x5566_778f };
const offset = 4096;
const id = '00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef' as BlockId;
const sample: RecordHeader = { kind: 'data', id, storedSize: 1_048_576, sequence: 4_294_967_297, batch: 3 };

function encode(header: RecordHeader, at = offset): Buffer {
  const bytes = Buffer.alloc(RECORD_HEADER.size, 0xee);
  encodeRecordHeader(header, mark, { offset: at, bytes, view: viewOf(bytes), base: 0 });
  return bytes;
}

t.test('a header survives encoding and decoding', (t) => {
  const header = fc.record(
    {
      kind: fc.constantFrom(
        'data' as const,
        'manifest' as const,
        'piece' as const,
        'tombstone' as const,
        'commit' as const,
        'pad' as const,
      ),
      id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex') as BlockId),
      storedSize: fc.nat(PAYLOAD_SIZE_MAX),
      sequence: fc.maxSafeNat(),
      batch: fc.maxSafeNat(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(header, fc.nat(1 << 28), (value, at) => {
      t.strictSame(decodeRecordHeader(encode(value, at), mark, at), value);
    }),
  );
  t.end();
});

t.test('version 1 bytes stay what they are', (t) => {
  t.equal(
    encode(sample).toString('hex'),
    [
      '5152454301010000', // QREC, version 1, data, no flags
      '0000100000001000', // 1 MiB stored, 1 MiB raw
      '00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef',
      '0100000001000000', // sequence 2^32 + 1
      '0300000000000000', // batch 3
      '0700000000000000', // segment 7
      '0010000000000000', // offset 4096
      '8f776655', // salt bits
      '00'.repeat(40),
      '285cbfaf', // CRC-32
    ].join(''),
  );
  t.end();
});

t.test('any single flipped bit is a fault', (t) => {
  const bytes = encode(sample);
  for (let bit = 0; bit < RECORD_HEADER.size * 8; bit++) {
    const decoded = decodeRecordHeader(flipBit(bytes, bit), mark, offset);
    if (!(decoded instanceof Fault)) t.fail(`bit ${bit} goes unnoticed`);
  }
  t.pass('all 1,024 were noticed');
  t.end();
});

t.test('every truncation is a fault', (t) => {
  const bytes = encode(sample);
  for (let size = 0; size < RECORD_HEADER.size; size++) {
    t.ok(decodeRecordHeader(bytes.subarray(0, size), mark, offset) instanceof Fault);
  }
  t.end();
});

t.test('a header is refused at another offset, in another segment and under another salt', (t) => {
  const bytes = encode(sample);
  t.match(decodeRecordHeader(bytes, mark, offset + 64), { meaning: 'the record belongs to another offset' });
  t.match(decodeRecordHeader(bytes, { ...mark, segment: 8 }, offset), { meaning: 'the record belongs to another segment' });
  t.match(decodeRecordHeader(bytes, { ...mark, saltBits: 1 }, offset), { meaning: 'the record carries another salt' });
  t.end();
});

t.test('a header with a good checksum and impossible fields is refused', (t) => {
  t.match(decodeRecordHeader(encode({ ...sample, storedSize: PAYLOAD_SIZE_MAX + 1 }), mark, offset), {
    meaning: /claims 1048577 bytes/,
  });
  t.notOk(
    decodeRecordHeader(encode({ ...sample, kind: 'pad', storedSize: PAYLOAD_SIZE_MAX + 1 }), mark, offset) instanceof Fault,
  );
  t.end();
});
