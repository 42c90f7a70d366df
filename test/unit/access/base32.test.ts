import fc from 'fast-check';
import t from 'tap';
import { decodeBase32, encodeBase32 } from '../../../src/access/base32.ts';

const table: readonly { readonly hex: string; readonly text: string }[] = [
  { hex: '', text: '' },
  { hex: '00', text: '00' },
  { hex: 'ff', text: '7z' },
  { hex: '0102030405', text: '04106105' },
  { hex: 'ffffffff', text: '3zzzzzz' },
  { hex: '017f22e279b07fffbfffffffffffffff', text: '01fwhe4ydgfzzvzzzzzzzzzzzz' },
];

for (const { hex, text } of table) {
  t.test(`"${hex}" is written "${text}" and read back`, async (t) => {
    t.equal(encodeBase32(Buffer.from(hex, 'hex')), text);
    t.equal(decodeBase32(text, hex.length / 2)?.toString('hex'), hex);
  });
}

t.test('any bytes survive encoding and decoding', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      return decodeBase32(encodeBase32(bytes), bytes.length)?.equals(bytes) === true;
    }),
  );
  t.pass();
});

t.test('a value has one spelling: capitals, look-alikes, hyphens, other lengths and bits too many are not read', async (t) => {
  for (const text of ['7Z', '7i', '7l', '7o', '7u', '7-', '7 ', '7é', '7', '07z', '80', 'zz']) {
    t.equal(decodeBase32(text, 1), undefined, text);
  }
});
