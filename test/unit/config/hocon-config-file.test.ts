import fc from 'fast-check';
import t from 'tap';
import { ConfigFault } from '../../../src/config/config-fault.ts';
import { readHocon } from '../../../src/config/hocon-config-file.ts';

async function valuesOf(text: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  return Object.fromEntries([...(await readHocon(text, env))].map(([key, { value }]) => [key, value]));
}

const understood: readonly { title: string; text: string; env?: Record<string, string>; values: Record<string, unknown> }[] = [
  { title: 'nothing', text: '', values: {} },
  { title: 'comments only', text: '# one\n// two\n', values: {} },
  { title: 'keys with = and :', text: 'a = 1\nb : two', values: { a: 1, b: 'two' } },
  { title: 'comments behind values', text: 'a = 1 # one\nb = x // two\n', values: { a: 1, b: 'x' } },
  { title: '# and // inside quotes', text: 'a = "x # y // z"', values: { a: 'x # y // z' } },
  {
    title: 'blocks and dotted keys',
    text: 'http { port = 1, host = x }\nhttp.adapter = node',
    values: { 'http.port': 1, 'http.host': 'x', 'http.adapter': 'node' },
  },
  { title: 'a block after =', text: 'a = { b = 1\n }', values: { 'a.b': 1 } },
  { title: 'a whole file in braces', text: '{ "a" : { "b" : 1 } }', values: { 'a.b': 1 } },
  { title: 'values of several words', text: 'a = 30 s\nb = /var/lib/x y', values: { a: '30 s', b: '/var/lib/x y' } },
  {
    title: 'true, false, null and numbers',
    text: 'a = true\nb = false\nc = null\nd = 1.5',
    values: { a: true, b: false, c: null, d: 1.5 },
  },
  { title: 'escapes', text: 'a = "\\u0041\\t\\""', values: { a: 'A\t"' } },
  { title: 'Windows line ends and a byte order mark', text: '\ufeffa = 1\r\nb = 2\r\n', values: { a: 1, b: 2 } },
  { title: 'a variable that is set', text: 'a = 1\na = $' + '{?A}', env: { A: 'x' }, values: { a: 'x' } },
  { title: 'a variable that is not set', text: 'a = 1\na = $' + '{?A}\nb = $' + '{?B}', values: { a: 1 } },
  { title: 'a variable in the middle of text', text: 'a = x$' + '{?A}y', env: { A: '-' }, values: { a: 'x-y' } },
  { title: 'another key', text: 'a = 1\nb = $' + '{a}', values: { a: 1, b: 1 } },
];

for (const { title, text, env, values } of understood) {
  t.test(`${title} is understood`, async (t) => {
    t.same(await valuesOf(text, env), values);
  });
}

const refused: readonly { title: string; text: string; line?: number; says: RegExp }[] = [
  { title: 'a key set twice', text: 'a = 1\nb = 2\na = 3', line: 3, says: /"a" is set twice, the first time in line 1/ },
  { title: 'a key set in two ways', text: 'a { b = 1 }\na.b = 2', line: 2, says: /"a\.b" is set twice/ },
  { title: 'a block that is not closed', text: 'x = 1\na {\n b = 1\n', line: 2, says: /not closed/ },
  { title: 'a brace too many', text: 'a = 1\n}', line: 2, says: /"}" without its "{"/ },
  { title: 'a key without value', text: 'a = 1\nb\nc = 2', line: 2, says: /"b.*no "=" and no value/s },
  { title: 'a value without key', text: 'a = 1\n = 2', line: 2, says: /key is expected/ },
  { title: 'an empty part of a key', text: 'a..b = 1', line: 1, says: /key is expected/ },
  { title: 'two equal signs', text: 'a = 1\nb == 2', line: 2, says: /unexpected token/ },
  { title: 'a quote that is not closed', text: 'a = 1\nb = "x\nc = 1', line: 2, says: /not closed/ },
  { title: 'an address without quotes', text: 'a = postgres://u@h/d', line: 1, says: /unexpected token near ":"/ },
  { title: 'a variable that must be set and is not', text: 'a = $' + '{NOT_SET}', line: 1, says: /unable to resolve 'NOT_SET'/ },
  { title: 'a list', text: 'a = [1, 2]', line: 1, says: /is a list/ },
  { title: 'appending', text: 'a += 1', line: 1, says: /"\+=" is not used/ },
  { title: 'including a file', text: 'x = 1\ninclude "/etc/passwd"', line: 2, says: /"include" is not supported/ },
  { title: 'including code', text: 'a = include script("/tmp/x.js")', line: 1, says: /not supported in a value/ },
  {
    title: 'including after another word',
    text: 'a = x include url("http://127.0.0.1/")',
    line: 1,
    says: /not supported in a value/,
  },
  { title: 'including in a block', text: 'a { include "x" }', line: 1, says: /"include" is not supported/ },
  { title: 'a transformation', text: 'a = 1 | eval("x")', line: 1, says: /not supported in a value/ },
  {
    title: 'reaching for a prototype',
    text: 'constructor.prototype.polluted = 1',
    line: 1,
    says: /"constructor" cannot be a key/,
  },
  {
    title: 'reaching for a prototype in a block',
    text: 'a { "__proto__" { polluted = 1 } }',
    line: 1,
    says: /"__proto__" cannot be a key/,
  },
];

for (const { title, text, line, says } of refused) {
  t.test(`${title} is refused with its line`, async (t) => {
    const fault = await readHocon(text, {}).then(
      () => t.fail('must be refused'),
      (error: unknown) => error,
    );
    if (!(fault instanceof ConfigFault)) throw fault;
    t.match(fault.message, says);
    t.equal(fault.line, line);
    t.notOk('polluted' in {});
  });
}

t.test('an environment variable is text, never syntax', async (t) => {
  t.same(await valuesOf('a = $' + '{?A}', { A: '{ b = 1 }\ninclude "x"' }), { a: '{ b = 1 }\ninclude "x"' });
});

t.test('any text is read or refused, never anything else', async (t) => {
  const piece = fc.constantFrom(
    'a',
    'b.c',
    ' ',
    '\n',
    '=',
    ':',
    '{',
    '}',
    '"',
    '$' + '{?A}',
    '$' + '{',
    '#x',
    '//',
    ',',
    '1',
    '[',
    ']',
    '|',
    'include',
    '\\',
    '+',
    '"""',
    '\0',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      try {
        await readHocon(pieces.join(''), { A: '1' });
      } catch (error) {
        if (!(error instanceof ConfigFault)) throw error;
      }
    }),
    { numRuns: 500 },
  );
  t.notOk('polluted' in {});
});
