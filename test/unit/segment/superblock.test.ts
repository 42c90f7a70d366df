import t from 'tap';
import { Fault } from '../../../src/segment/fault.ts';
import { SUPERBLOCK } from '../../../src/segment/format.ts';
import { decodeSuperblock, encodeSuperblock, segmentMark } from '../../../src/segment/superblock.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { testSuperblock } from '../../helpers/segment-fixture.ts';

const sample = testSuperblock(0x0102_0304_0506);

t.test('a superblock survives encoding and decoding', (t) => {
  t.strictSame(decodeSuperblock(encodeSuperblock(sample)), sample);
  t.end();
});

t.test('version 1 bytes stay what they are', (t) => {
  const bytes = encodeSuperblock(testSuperblock(1));
  t.equal(
    bytes.subarray(0, 64).toString('hex'),
    [
      '5155415341525347', // QUASARSG
      '01000100', // version 1, BLAKE3
      '00100000', // pages of 4096
      '0100000000000000', // segment 1
      '8977665544332211', // salt
      '018f0000000070008000000000000001',
      '0068e5cf8b010000', // 2023-11-14T22:13:20.000Z
      '0000010000000000', // 64 KiB
    ].join(''),
  );
  t.equal(bytes.subarray(4092).toString('hex'), '04b68248');
  t.end();
});

t.test('any single flipped bit is a fault', (t) => {
  const bytes = encodeSuperblock(sample);
  for (let bit = 0; bit < SUPERBLOCK.size * 8; bit++) {
    if (!(decodeSuperblock(flipBit(bytes, bit)) instanceof Fault)) t.fail(`bit ${bit} goes unnoticed`);
  }
  t.pass('all were noticed');
  t.end();
});

t.test('every truncation is a fault', (t) => {
  const bytes = encodeSuperblock(sample);
  for (let size = 0; size < SUPERBLOCK.size; size += 7) t.ok(decodeSuperblock(bytes.subarray(0, size)) instanceof Fault);
  t.end();
});

t.test('record headers repeat the low half of the salt', (t) => {
  t.equal(segmentMark({ ...sample, salt: 0xfedc_ba98_7654_3210n }).saltBits, 0x7654_3210);
  t.end();
});
