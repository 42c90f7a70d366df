import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { checkFilename, filenameOf } from '../../../src/http/filename.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';

t.test('the query names the file, else Content-Disposition does', async (t) => {
  const headers = { 'content-disposition': 'attachment; filename="b.pdf"' };
  t.equal(filenameOf(new FakeExchange({ query: 'filename=a%20%C3%A4.pdf', headers })), 'a ä.pdf');
  t.equal(filenameOf(new FakeExchange({ query: 'x=1', headers })), 'b.pdf');
  t.equal(filenameOf(new FakeExchange({ query: 'filename=' })), undefined);
  t.equal(filenameOf(new FakeExchange()), undefined);
});

t.test('a name is kept as sent, path, direction marks and decomposed letters too', async (t) => {
  for (const name of ['../../x', 'CON', 'a\u202eb', 'cafe\u0301', 'say "hi"']) t.equal(checkFilename(name), name);
});

t.test('a name that is empty, too long, broken or holds control characters is refused', async (t) => {
  for (const name of [
    '',
    'a'.repeat(limits.filenameMax + 1),
    'ä'.repeat(limits.filenameMax / 2 + 1),
    'a\nb',
    'a\0',
    '\ud800',
    'a\ufffd',
  ]) {
    t.throws(() => checkFilename(name), { code: 'bad_parameter' }, JSON.stringify(name.slice(0, 8)));
  }
  t.throws(() => filenameOf(new FakeExchange({ query: 'filename=%ff' })), { code: 'bad_parameter' });
});
