import t from 'tap';
import { Cursors } from '../../../src/http/cursor.ts';

const cursors = new Cursors('secret');

t.test('a cursor opens on the list it was made for, and says nothing else', async (t) => {
  const cursor = cursors.sign('documents', '2026|ä');
  t.equal(cursors.open('documents', cursor), '2026|ä');
  t.match(cursor, /^[\w-]+$/);
  t.throws(() => cursors.open('versions:1', cursor), { code: 'bad_parameter' });
  t.throws(() => new Cursors('another').open('documents', cursor), { code: 'bad_parameter' });
});

t.test('a cursor with any bit changed, cut or prolonged is refused', async (t) => {
  const bytes = Buffer.from(cursors.sign('documents', 'p'), 'base64url');
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    const forged = Buffer.from(bytes);
    forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
    t.throws(() => cursors.open('documents', forged.toString('base64url')), { code: 'bad_parameter' });
  }
  for (let size = 0; size < bytes.byteLength; size++) {
    t.throws(() => cursors.open('documents', bytes.subarray(0, size).toString('base64url')), { code: 'bad_parameter' });
  }
  for (const text of ['', '%', 'a b', `${bytes.toString('base64url')}AA`, 'A'.repeat(5000)]) {
    t.throws(() => cursors.open('documents', text), { code: 'bad_parameter' }, text.slice(0, 40));
  }
});
