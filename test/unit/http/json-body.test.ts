import { createHash } from 'node:crypto';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { parseJson, readJsonBody } from '../../../src/http/json-body.ts';
import { FakeExchange, type FakeRequest } from '../../helpers/fake-exchange.ts';

const read = (request: FakeRequest, optional = false) =>
  readJsonBody(new FakeExchange({ method: 'POST', ...request }), { optional });

t.test('a body in any number of chunks is read', async (t) => {
  const text = Buffer.from('{"filename":"ä.pdf","size":5}');
  const body = Array.from(text, (byte) => Buffer.of(byte));
  t.same(await read({ body }), { filename: 'ä.pdf', size: 5 });
  for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"']) {
    t.same(await read({ body: [Buffer.from('{}')], headers: { 'content-type': type } }), {});
  }
});

t.test('an empty body is undefined where that is allowed', async (t) => {
  t.equal(await read({ body: [] }, true), undefined);
  await t.rejects(read({ body: [] }), { code: 'bad_body' });
});

t.test('a body beyond the limit is refused, declared or not', async (t) => {
  const large = Buffer.alloc(limits.jsonBodyMax + 1, 0x20);
  await t.rejects(read({ body: [large] }), { code: 'body_too_large' });
  await t.rejects(read({ body: [large.subarray(1), large.subarray(0, 1)], bodySize: undefined }), { code: 'body_too_large' });
});

t.test('a body that is cut is cancelled, one of another type refused', async (t) => {
  await t.rejects(read({ body: [Buffer.from('{')], cut: true }), { code: 'cancelled' });
  for (const type of ['text/plain', 'application/json; charset=latin1', 'application/jsonx']) {
    await t.rejects(
      read({ body: [Buffer.from('{}')], headers: { 'content-type': type } }),
      { code: 'unsupported_media_type' },
      type,
    );
  }
});

t.test('a further type is taken in UTF-8 only', async (t) => {
  const patch = (type: string) => {
    const exchange = new FakeExchange({ method: 'POST', body: [Buffer.from('[]')], headers: { 'content-type': type } });
    return readJsonBody(exchange, { optional: false, alsoType: 'application/json-patch+json' });
  };
  for (const type of ['application/json-patch+json', 'Application/JSON-Patch+JSON; charset="UTF-8"'])
    t.same(await patch(type), []);
  for (const type of [
    'application/json-patch+json; charset=utf-16',
    'application/json-patch+json; charset=latin1; x=1',
    'text/json',
  ])
    await t.rejects(patch(type), { code: 'unsupported_media_type' }, type);
});

t.test('a byte order mark, and any other encoding than UTF-8, is refused', async (t) => {
  for (const body of [Buffer.from('\ufeff{}'), Buffer.from('{}', 'utf16le'), Buffer.from([0xfe, 0xff, 0, 0x7b, 0, 0x7d])])
    await t.rejects(read({ body: [body] }), { code: 'bad_body' });
});

t.test('a body that has another digest than was sent with it is refused', async (t) => {
  const body = [Buffer.from('{"a"'), Buffer.from(':1}')];
  const md5 = (text: string) => createHash('md5').update(text).digest('base64');
  t.same(await read({ body, headers: { 'content-md5': md5('{"a":1}') } }), { a: 1 });
  await t.rejects(read({ body, headers: { 'content-md5': md5('{"a":2}') } }), { code: 'digest_mismatch' });
  await t.rejects(read({ body: [], headers: { 'content-md5': md5('{}') } }, true), { code: 'digest_mismatch' });
});

t.test('JSON that readers could understand differently is refused', async (t) => {
  const bad = [
    '{',
    '{"a":1,}',
    "{'a':1}",
    'NaN',
    '{"a":1e400}',
    '{"__proto__":{"x":1}}',
    '{"a":{"__proto__":1}}',
    '{"a":"\\ud800"}',
    '{"\\udfff":1}',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    `${'['.repeat(limits.jsonDepthMax + 1)}${']'.repeat(limits.jsonDepthMax + 1)}`,
    '{"a":1,"a":2}',
    '{"a":{"constructor":1}}',
    '"\\u0000"',
    '9007199254740993',
  ];
  for (const text of bad) t.throws(() => parseJson(Buffer.from(text)), { code: 'bad_body' }, text.slice(0, 24));
  t.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22])), { code: 'bad_body', message: /UTF-8/ });
  t.ok(parseJson(Buffer.from(`${'['.repeat(limits.jsonDepthMax)}${']'.repeat(limits.jsonDepthMax)}`)));
});
