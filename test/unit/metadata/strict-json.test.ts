import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { metadataBounds, parseStrictJson } from '../../../src/metadata/strict-json.ts';

const MiB = 1024 * 1024;
const wide = { size: 64 * MiB, depth: 64, keys: 10_000_000, string: 64 * MiB };

t.test('what JSON.parse reads and we do not refuse is read alike', async (t) => {
  const values = fc.jsonValue({ maxDepth: 6 }).filter((value) => isTame(value));
  fc.assert(
    fc.property(values, fc.constantFrom(0, 1, '\t\r\n'), (value, space) => {
      const text = JSON.stringify(value, null, space as number);
      t.strictSame(parseStrictJson(text), JSON.parse(text));
    }),
  );
});

t.test('text that JSON.parse refuses is refused', async (t) => {
  const marks = fc.constantFrom(...'{}[]",:0123456789.eE+-truefalsn \n\\u'.split(''));
  fc.assert(
    fc.property(fc.array(marks, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      if (!readable(text)) t.throws(() => parseStrictJson(text), { code: /^(bad_body|metadata_too_large)$/ }, text);
    }),
    { numRuns: 2000 },
  );
});

t.test('what is wrong is told with its place', async (t) => {
  for (const [text, path, message] of [
    ['{"a":1,"a":2}', '/a', /twice/],
    ['{"a":1,"\\u0061":2}', '/a', /twice/],
    ['{"a":{"__proto__":{"x":1}}}', '/a/__proto__', /name/],
    ['{"__pro\\u0074o__":1}', '/__proto__', /name/],
    ['[0,{"constructor":{}}]', '/1/constructor', /name/],
    ['{"prototype":0}', '/prototype', /name/],
    ['["x","\\ud800"]', '/1', /surrogate/],
    ['{"\\udfff":1}', '', /surrogate/],
    ['{"a/b":["a\\u0000"]}', '/a~1b/0', /U\+0000/],
    ['[1e400]', '/0', /2\^53/],
    ['[-1e400]', '/0', /2\^53/],
    ['[9007199254740993]', '/0', /2\^53/],
    ['[9007199254740992]', '/0', /2\^53/],
    ['[9007199254740993.0]', '/0', /2\^53/],
    ['[1e-400]', '/0', /become 0/],
    ['{} {}', '', /after its end/],
    ['{}x', '', /after its end/],
    ['', '', /ends too early/],
    ['{"a":}', '/a', /no value/],
    ['[1,]', '/1', /no value/],
    ['{"a":1,}', '', /member name/],
    ['["\t"]', '/0', /control/],
    ['["\\x"]', '/0', /escape/],
    ['["abc', '/0', /without an end/],
    ['\ufeff{}', '', /no value/],
    ['NaN', '', /no value/],
    ['01', '', /after its end/],
  ] as const) {
    t.throws(() => parseStrictJson(text), { code: 'bad_body', message, details: { path } }, text);
  }
});

t.test('numbers at the edge are read as they are', async (t) => {
  t.strictSame(parseStrictJson('[9007199254740991,-9007199254740991,0.1,1e3,0e999,5e-324]'), [
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    0.1,
    1000,
    0,
    5e-324,
  ]);
  t.ok(Object.is((parseStrictJson('[-0]') as number[])[0], 0), '-0 becomes 0');
});

t.test('bytes that are not UTF-8 are refused', async (t) => {
  for (const bytes of [[0xff], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xef, 0xbb, 0xbf, 0x31]]) {
    t.throws(() => parseStrictJson(Uint8Array.from(bytes)), { code: 'bad_body' });
  }
  t.equal(parseStrictJson(Buffer.from('"Ä𝄞"')), 'Ä𝄞');
});

t.test('each bound is met exactly', async (t) => {
  const bounds = { size: 20, depth: 2, keys: 3, string: 4 };
  t.strictSame(parseStrictJson('[[1,2]]', bounds), [[1, 2]]);
  t.throws(() => parseStrictJson('[[1,2,3]]', bounds), { code: 'metadata_too_large' }, 'one item too many');
  t.throws(
    () => parseStrictJson('[[[]]]', bounds),
    { code: 'metadata_too_large', details: { path: '/0/0' } },
    'one level too deep',
  );
  t.equal(parseStrictJson('"abcd"', bounds), 'abcd');
  t.throws(() => parseStrictJson('"abcde"', bounds), { code: 'bad_body' }, 'one character too long');
  t.strictSame(parseStrictJson(`${' '.repeat(18)}""`, bounds), '');
  t.throws(() => parseStrictJson(`${' '.repeat(19)}""`, bounds), { code: 'body_too_large', details: { sizeMax: 20 } });
  t.throws(
    () => parseStrictJson(`"${'ä'.repeat(limits.metadataSizeMax / 2)}"`),
    { code: 'body_too_large' },
    'bytes, not characters',
  );
});

t.test('a hundred thousand levels are refused, or read where the bounds allow them', async (t) => {
  const depth = 100_000;
  const text = '['.repeat(depth) + ']'.repeat(depth);
  t.throws(() => parseStrictJson(text), { code: 'metadata_too_large' });
  t.throws(() => parseStrictJson('{"a":'.repeat(depth), wide), { code: 'metadata_too_large' });
  let value = parseStrictJson(text, { ...wide, depth }) as unknown[];
  let levels = 1;
  for (; value.length > 0; levels += 1) value = value[0] as unknown[];
  t.equal(levels, depth);
  t.throws(() => parseStrictJson(`${'['.repeat(depth)}x`, { ...wide, depth }), { code: 'bad_body' });
});

t.test('a million names are refused, or read where the bounds allow them', async (t) => {
  const count = 1_000_000;
  const text = `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join()}}`;
  t.throws(() => parseStrictJson(text, { ...wide, keys: metadataBounds.keys }), { code: 'metadata_too_large' });
  t.equal(Object.keys(parseStrictJson(text, wide) as object).length, count);
  t.throws(() => parseStrictJson(`${text.slice(0, -1)},"k7":1}`, wide), { code: 'bad_body', details: { path: '/k7' } });
});

t.test('a long text of one kind takes one pass', async (t) => {
  for (const text of [
    '1'.repeat(MiB),
    '-'.repeat(MiB),
    '"'.repeat(MiB),
    `"${'\\'.repeat(MiB)}`,
    ' '.repeat(MiB),
    'e'.repeat(MiB),
  ]) {
    t.throws(() => parseStrictJson(text, wide), { code: 'bad_body' });
  }
});

t.test('names of what all objects have are ordinary names', async (t) => {
  const value = parseStrictJson('{"toString":1,"hasOwnProperty":2,"valueOf":3}');
  t.strictSame(Object.entries(value as object), [
    ['toString', 1],
    ['hasOwnProperty', 2],
    ['valueOf', 3],
  ]);
});

function readable(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isTame(value: unknown): boolean {
  if (typeof value === 'string') return !/\p{Surrogate}/u.test(value) && !value.includes('\0');
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return true;
  const bad = ['__proto__', 'constructor', 'prototype'];
  return Object.entries(value).every(([name, item]) => isTame(name) && !bad.includes(name) && isTame(item));
}
