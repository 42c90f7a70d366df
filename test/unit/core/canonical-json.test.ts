import fc from 'fast-check';
import t from 'tap';
import { canonicalJson, canonicalJsonBytes } from '../../../src/core/canonical-json.ts';
import { limits } from '../../../src/core/limits.ts';

/** RFC 8785 appendix B: the bits of a double and its text. */
const numbers: readonly [string, string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

t.test('numbers are written as in the table of RFC 8785', async (t) => {
  for (const [bits, text] of numbers) t.equal(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE(0)), text, bits);
});

t.test('the samples of RFC 8785 get their canonical bytes', async (t) => {
  const sample = JSON.parse(
    `{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
      String.raw`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  );
  t.equal(
    canonicalJsonBytes(sample).toString('hex'),
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b333333333333333333' +
      '2e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c753030' +
      '30665c6e4127425c225c5c5c5c5c222f227d',
  );
  const weird = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Smiley',
    '\u0080': 'Control\u007f',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
    '</script>': 'Browser Challenge',
  };
  t.equal(
    canonicalJson(weird),
    '{"\\r":"Carriage Return","1":"One","</script>":"Browser Challenge","\u0080":"Control\u007f",' +
      '"\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign","\ud83d\ude00":"Smiley",' +
      '"\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  );
  const structures = { '1': { f: { f: 'hi', F: 5 }, '\n': 56 }, '10': {}, '': 'empty', a: {}, '111': [{}], A: {} };
  t.equal(canonicalJson(structures), '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}');
});

t.test('text is not normalised, and control characters are escaped in one way', async (t) => {
  t.equal(canonicalJson('A\u030a'), '"A\u030a"');
  t.equal(canonicalJson('\b\t\n\f\r"\\\u0000\u001f\u007f/'), '"\\b\\t\\n\\f\\r\\"\\\\\\u0000\\u001f\u007f/"');
});

t.test('what JSON cannot hold is refused, and the error points at it', async (t) => {
  const cases: readonly [unknown, string][] = [
    [undefined, ''],
    [{ a: [1, undefined] }, '/a/1'],
    [{ a: undefined }, '/a'],
    [[Number.NaN], '/0'],
    [{ 'a/b~c': Number.POSITIVE_INFINITY }, '/a~1b~0c'],
    [10n, ''],
    [{ when: new Date(0) }, '/when'],
    [new Map(), ''],
    [{ toJSON: () => 1 }, '/toJSON'],
    [Symbol('s'), ''],
    [{ [Symbol('s')]: 1 }, ''],
    [new Array(1), '/0'],
    [{ text: 'a\ud800b' }, '/text'],
    [['\udc00'], '/0'],
    [{ '\ud800': 1 }, '/\ufffd'],
  ];
  for (const [value, pointer] of cases) {
    t.throws(() => canonicalJson(value), { code: 'bad_body', details: { pointer } });
  }
});

t.test('nesting has a bound, and a cycle meets it', async (t) => {
  const nested = (depth: number) => {
    let value: unknown = 1;
    for (let level = 0; level < depth; level++) value = [value];
    return value;
  };
  t.ok(canonicalJson(nested(limits.canonicalJsonDepthMax)));
  t.throws(() => canonicalJson(nested(limits.canonicalJsonDepthMax + 1)), { code: 'bad_body' });
  const cycle: Record<string, unknown> = {};
  cycle.again = cycle;
  t.throws(() => canonicalJson(cycle), { code: 'bad_body' });
});

t.test('members named like parts of the language are members', async (t) => {
  const text = '{"__proto__":{"a":1},"constructor":2,"toString":null}';
  t.equal(canonicalJson(JSON.parse(text)), text);
});

t.test('the canonical text reads back as the same value and is its own canonical form', async () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = canonicalJson(value);
      return (
        canonicalJson(JSON.parse(text)) === text && text === canonicalJson(structuredClone(JSON.parse(JSON.stringify(value))))
      );
    }),
  );
});

t.test('the order in which members came does not matter', async () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.integer()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      return canonicalJson(reversed) === canonicalJson(value);
    }),
  );
});
