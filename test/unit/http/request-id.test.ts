import t from 'tap';
import { clientRequestId } from '../../../src/http/request-id.ts';

t.test('a well-formed id is taken over, anything else is not', async (t) => {
  for (const id of [
    'a',
    '0198c5b2-0000-7000-8000-000000000000',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'a/b:c=+@~._',
    'a'.repeat(128),
  ]) {
    t.equal(clientRequestId(id), id);
  }
  for (const id of [undefined, '', 'a b', 'a\nb', 'a\r\nSet-Cookie: x', 'ä', '"a"', '{a}', 'a'.repeat(129)])
    t.equal(clientRequestId(id), undefined);
});
