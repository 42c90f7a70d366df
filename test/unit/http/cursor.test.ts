import { createHmac } from 'node:crypto';
import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { Cursors } from '../../../src/http/cursor.ts';

const cursors = new Cursors('secret', systemClock);
const refused = { code: 'bad_parameter' };

t.test('a cursor opens on the list it was made for, and nowhere else', async (t) => {
  const cursor = cursors.seal('documents', '2026|ä');
  t.equal(cursors.open('documents', cursor), '2026|ä');
  t.match(cursor, /^[\w-]+$/);
  for (const purpose of ['versions:1', 'document', 'documents:', '']) t.throws(() => cursors.open(purpose, cursor), refused);
  t.throws(() => new Cursors('another', systemClock).open('documents', cursor), refused);
});

t.test('positions of any length and content come back', async (t) => {
  for (const position of [
    '',
    '\u0080',
    'a\0',
    '\0\0',
    '\u00c0\u0080\u0000',
    ...[62, 63, 64, 65, 600].map((size) => 'x'.repeat(size)),
  ]) {
    t.equal(cursors.open('schemas:', cursors.seal('schemas:', position)), position);
  }
});

t.test('nothing of the position can be read from a cursor, and little of its length', async (t) => {
  const id = '01970000-aaaa-7bbb-8ccc-dddddddddddd';
  const cursor = cursors.seal('documents', id);
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  for (let at = 0; at + 6 <= id.length; at++) t.notOk(text.includes(id.slice(at, at + 6)));
  t.equal(cursors.seal('documents', 'x').length, cursor.length);
});

t.test('sealing a position again gives another text, of which no byte tells that it is the same', async (t) => {
  const [one, other] = [cursors.seal('documents', 'same'), cursors.seal('documents', 'same')];
  t.not(one, other);
  const [a, b] = [Buffer.from(one, 'base64url'), Buffer.from(other, 'base64url')];
  const equal = a.filter((byte, at) => byte === b[at]).byteLength;
  t.ok(equal < a.byteLength / 2, `${equal} of ${a.byteLength} bytes are equal`);
});

t.test('a cursor with any bit changed, cut or prolonged is refused', async (t) => {
  const bytes = Buffer.from(cursors.seal('documents', 'p'), 'base64url');
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    const forged = Buffer.from(bytes);
    forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
    t.throws(() => cursors.open('documents', forged.toString('base64url')), refused);
  }
  for (let size = 0; size < bytes.byteLength; size++) {
    t.throws(() => cursors.open('documents', bytes.subarray(0, size).toString('base64url')), refused);
  }
  const text = bytes.toString('base64url');
  for (const other of ['', '%', 'a b', `${text}AA`, `${text}=`, `${text} `, `${text}%`, 'A'.repeat(5000)]) {
    t.throws(() => cursors.open('documents', other), refused, other.slice(0, 40));
  }
});

t.test('a cursor that was signed only, as earlier versions gave them out, is refused', async (t) => {
  const position = Buffer.from('01970000-aaaa-7bbb-8ccc-dddddddddddd'.repeat(3));
  const mac = createHmac('sha256', 'secret').update('9:documents:').update(position).digest().subarray(0, 16);
  t.throws(() => cursors.open('documents', Buffer.concat([mac, position]).toString('base64url')), refused);
});
