import fc from 'fast-check';
import t from 'tap';
import { splitJwt } from '../../../src/access/jwt-parts.ts';
import { isQuasarError } from '../../../src/core/errors.ts';
import { encode } from '../../helpers/jwt-issuer.ts';

const token = (payload: string | Buffer, header: string | Buffer = '{"alg":"EdDSA"}'): string =>
  `${encode(header)}.${encode(payload)}.c2ln`;

function isRefused(text: string): boolean {
  try {
    splitJwt(text);
    return false;
  } catch (error) {
    return isQuasarError(error, 'unauthenticated') && error.details.reason === 'token_malformed';
  }
}

t.test('header and payload come out as they were written', async (t) => {
  const { header, payload } = splitJwt(token('{"sub":"a","aud":["x","y"],"n":{"a":1}}'));
  t.strictSame([...header], [['alg', 'EdDSA']]);
  t.strictSame(Object.fromEntries(payload), { sub: 'a', aud: ['x', 'y'], n: { a: 1 } });
});

t.test('a member that stands twice is refused, in header and payload, at any depth, however it is spelled', async (t) => {
  const twice = [
    '{"sub":"a","sub":"b"}',
    '{"sub":"a","sub":"a"}',
    '{"exp":1,"jti":"x","exp":2}',
    '{"sub":"a","s\\u0075b":"b"}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[{"b":1,"b":2}]}',
    '{"a":[1,{"c":{"d":[{}]}}],"e":"{\\"a\\":1}","a" \n :2}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
    '{"\\\\":1,"\\\\":2}',
  ];
  for (const text of twice) {
    t.ok(isRefused(token(text)), text);
    t.ok(isRefused(token('{}', text)), `header ${text}`);
  }
});

t.test('the same name in different objects, and names inside strings, are no repetition', async (t) => {
  for (const text of [
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":"a","b":"a"}',
    '{"a":"\\"a\\":1","b":"{\\"b\\":2,"}',
    '{"a":["a","a"],"A":1}',
    '{"a":"\\\\","b":":"}',
  ])
    t.notOk(isRefused(token(text)), text);
});

t.test('names of prototypes are names like others', async (t) => {
  const { payload } = splitJwt(token('{"__proto__":{"sub":"a"},"constructor":1}'));
  t.equal(payload.get('sub'), undefined);
  t.equal(payload.get('toString'), undefined);
  t.equal(payload.get('constructor'), 1);
});

t.test('what is no JSON object in UTF-8 is refused', async (t) => {
  for (const text of ['', '[]', 'null', '1', '"a"', '{', '{}{}', "{'a':1}", '{"a":1,}', '{"a":NaN}', '\ufeff{}']) {
    t.ok(isRefused(token(text)), JSON.stringify(text));
    t.ok(isRefused(token('{}', text)), `header ${JSON.stringify(text)}`);
  }
  t.ok(isRefused(token(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))), 'a byte that is no UTF-8');
  t.ok(isRefused(token(`{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`)), 'nested too deep');
});

t.test('each part has one spelling: padding, other alphabets and stray bits are refused', async (t) => {
  const good = token('{"a":1}');
  t.notOk(isRefused(good));
  const [header, payload] = good.split('.');
  for (const text of [
    `${header}.${payload}=.c2ln`,
    `${header}.${payload}.c2ln=`,
    `${header}.${payload}.+/8A`,
    `${header}.${payload}.c2lnA`,
    `${header}.${payload}.c2k`.replace(/.$/, 'l'),
    `${header}.${payload}`,
    `${good}.c2ln`,
    `${header} .${payload}.c2ln`,
    '..',
    '',
  ])
    t.ok(isRefused(text), text);
});

t.test('no text whatever does anything but pass or be refused', async (t) => {
  const part = fc.oneof(fc.json().map(encode), fc.base64String(), fc.string(), fc.constant('e30'));
  const property = fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
    const text = parts.join('.');
    try {
      return splitJwt(text).header instanceof Map;
    } catch {
      return isRefused(text);
    }
  });
  fc.assert(property, { numRuns: 2000 });
  t.pass('held');
});
