import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { applyPatch } from '../../../src/metadata/json-patch.ts';
import type { JsonValue } from '../../../src/metadata/json-value.ts';
import { parsePatch } from '../../../src/metadata/patch-operation.ts';

/** Document, patch, result. */
const applied: readonly [string, JsonValue, JsonValue, JsonValue][] = [
  ['no operation changes nothing', { a: 1 }, [], { a: 1 }],
  ['add makes a member', {}, [{ op: 'add', path: '/a', value: 1 }], { a: 1 }],
  ['add replaces a member', { a: 1 }, [{ op: 'add', path: '/a', value: [2] }], { a: [2] }],
  ['add of null makes a member', {}, [{ op: 'add', path: '/a', value: null }], { a: null }],
  ['add inserts before an index', ['a', 'c'], [{ op: 'add', path: '/1', value: 'b' }], ['a', 'b', 'c']],
  ['add at the length appends', ['a'], [{ op: 'add', path: '/1', value: 'b' }], ['a', 'b']],
  ['add at "-" appends', ['a'], [{ op: 'add', path: '/-', value: ['b'] }], ['a', ['b']]],
  ['add at "" replaces the document', { a: 1 }, [{ op: 'add', path: '', value: [] }], []],
  ['the empty name is a name', {}, [{ op: 'add', path: '/', value: 1 }], { '': 1 }],
  [
    '"-" and digits are names of an object',
    {},
    [
      { op: 'add', path: '/-', value: 1 },
      { op: 'add', path: '/0', value: 2 },
    ],
    { '-': 1, 0: 2 },
  ],
  [
    '"~01" is "~1", and "~1" a slash',
    { '~1': 1, '/': 2 },
    [
      { op: 'remove', path: '/~01' },
      { op: 'replace', path: '/~1', value: 3 },
    ],
    { '/': 3 },
  ],
  ['remove takes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
  ['remove closes the gap', [1, 2, 3], [{ op: 'remove', path: '/1' }], [1, 3]],
  ['replace takes another kind of value', { a: 1 }, [{ op: 'replace', path: '/a', value: { b: null } }], { a: { b: null } }],
  ['replace of an item keeps its place', [1, 2], [{ op: 'replace', path: '/0', value: 9 }], [9, 2]],
  ['replace at "" replaces the document', 1, [{ op: 'replace', path: '', value: 2 }], 2],
  ['move takes a value elsewhere', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
  ['move counts indexes after the removal', [1, 2, 3], [{ op: 'move', from: '/0', path: '/2' }], [2, 3, 1]],
  ['move to where it is does nothing', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  ['move to a name that begins alike is no move into itself', { a: 1 }, [{ op: 'move', from: '/a', path: '/ab' }], { ab: 1 }],
  ['move of a part onto the document', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '' }], { b: 1 }],
  [
    'copy makes a second value',
    { a: [1] },
    [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/b/-', value: 2 },
    ],
    { a: [1], b: [1, 2] },
  ],
  ['copy may go into what is copied', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/a/c' }], { a: { b: 1, c: { b: 1 } } }],
  [
    'test compares members in any order',
    { a: { x: 1, y: [null] } },
    [{ op: 'test', path: '/a', value: { y: [null], x: 1 } }],
    { a: { x: 1, y: [null] } },
  ],
  ['test compares numbers by value', [1], [{ op: 'test', path: '/0', value: 1.0 }], [1]],
  ['test of the document', { a: 1 }, [{ op: 'test', path: '', value: { a: 1 } }], { a: 1 }],
  ['unknown members of an operation are ignored', {}, [{ op: 'add', path: '/a', value: 1, note: 'x', from: 7 }], { a: 1 }],
  ['names of what all objects have are ordinary', {}, [{ op: 'add', path: '/toString', value: 1 }], { toString: 1 }],
];

/** Document, patch, index of the operation, path of the fault. */
const refused: readonly [string, JsonValue, JsonValue, number, string][] = [
  ['a parent that is not there', {}, [{ op: 'add', path: '/a/b', value: 1 }], 0, '/a'],
  ['a parent that is a scalar', { a: 'text' }, [{ op: 'add', path: '/a/0', value: 1 }], 0, '/a'],
  ['a parent that is null', { a: null }, [{ op: 'add', path: '/a/b', value: 1 }], 0, '/a'],
  [
    'removal of what is not there',
    { a: 1 },
    [
      { op: 'test', path: '/a', value: 1 },
      { op: 'remove', path: '/b' },
    ],
    1,
    '/b',
  ],
  ['removal of the document', {}, [{ op: 'remove', path: '' }], 0, ''],
  ['removal at "-"', [1], [{ op: 'remove', path: '/-' }], 0, '/-'],
  ['removal at the length', [1], [{ op: 'remove', path: '/1' }], 0, '/1'],
  ['replacement of what is not there', {}, [{ op: 'replace', path: '/a', value: 1 }], 0, '/a'],
  ['replacement at "-"', [1], [{ op: 'replace', path: '/-', value: 1 }], 0, '/-'],
  ['insertion beyond the length', [], [{ op: 'add', path: '/1', value: 1 }], 0, '/1'],
  ['an index with a leading zero', [1, 2], [{ op: 'add', path: '/01', value: 1 }], 0, '/01'],
  ['a negative index', [1], [{ op: 'replace', path: '/-1', value: 1 }], 0, '/-1'],
  ['an index with an exponent', [1, 2], [{ op: 'test', path: '/1e0', value: 2 }], 0, '/1e0'],
  ['an index that is empty', [1], [{ op: 'test', path: '/', value: 1 }], 0, '/'],
  ['the length of an array', [1], [{ op: 'test', path: '/length', value: 1 }], 0, '/length'],
  ['"-" on the way', [[1]], [{ op: 'add', path: '/-/0', value: 1 }], 0, '/-'],
  ['what all objects inherit', {}, [{ op: 'copy', from: '/toString', path: '/a' }], 0, '/toString'],
  ['a copy of what is not there', {}, [{ op: 'copy', from: '/a', path: '/b' }], 0, '/a'],
  ['a move of what is not there', {}, [{ op: 'move', from: '/a', path: '/a' }], 0, '/a'],
  ['a move into its own child', { a: { b: {} } }, [{ op: 'move', from: '/a', path: '/a/b/c' }], 0, '/a'],
  ['a move of the document into itself', { a: {} }, [{ op: 'move', from: '', path: '/a' }], 0, ''],
  ['a test of another value', { a: 1 }, [{ op: 'test', path: '/a', value: '1' }], 0, '/a'],
  ['a test of an array against an object', { a: [] }, [{ op: 'test', path: '/a', value: {} }], 0, '/a'],
  ['a test with a member too few', { a: { x: 1, y: 2 } }, [{ op: 'test', path: '/a', value: { x: 1 } }], 0, '/a'],
  ['a test of what is not there against null', {}, [{ op: 'test', path: '/a', value: null }], 0, '/a'],
];

for (const [title, document, patch, result] of applied) {
  t.test(title, async (t) => {
    t.strictSame(applyPatch(frozen(document), parsePatch(frozen(patch))), result);
  });
}

for (const [title, document, patch, operation, path] of refused) {
  t.test(`refused: ${title}`, async (t) => {
    const read = parsePatch(frozen(patch));
    t.throws(() => applyPatch(frozen(document), read), { code: 'patch_failed', details: { operation, path } });
  });
}

t.test('a patch that is no patch is refused with the index of the operation', async (t) => {
  t.throws(() => parsePatch({}), { code: 'bad_body' });
  const good = { op: 'add', path: '/a', value: 1 };
  for (const [bad, message] of [
    [1, /no object/],
    [{}, /no path/],
    [{ op: 'add', path: '/a' }, /no value/],
    [{ op: 'add', value: 1 }, /no path/],
    [{ op: 'add', path: 1, value: 1 }, /no path/],
    [{ op: 'spam', path: '/a' }, /none of/],
    [{ op: 'toString', path: '/a' }, /none of/],
    [{ path: '/a' }, /none of/],
    [{ op: 'move', path: '/a' }, /no from/],
    [{ op: 'copy', from: null, path: '/a' }, /no from/],
    [{ op: 'add', path: 'a', value: 1 }, /begin with/],
    [{ op: 'add', path: '/~2', value: 1 }, /"~"/],
    [{ op: 'add', path: '/a~', value: 1 }, /"~"/],
    [{ op: 'copy', from: '/~', path: '/a' }, /from that/],
    [{ op: 'add', path: '/__proto__/x', value: 1 }, /no metadata has/],
    [{ op: 'add', path: '/constructor', value: 1 }, /no metadata has/],
    [{ op: 'copy', from: '/a/prototype', path: '/b' }, /no metadata has/],
    [{ op: 'remove', path: `/${'x'.repeat(limits.jsonPointerMax)}` }, /longer/],
  ] as const) {
    t.throws(
      () => parsePatch([good, bad]),
      { code: 'bad_body', message, details: { operation: 1 } },
      JSON.stringify(bad).slice(0, 60),
    );
  }
});

t.test('neither the document nor the patch changes, not even when a later operation fails', async (t) => {
  const document = { list: [1, { a: 1 }], keep: { x: 1 } };
  const patch = [
    { op: 'add', path: '/list/1/b', value: { new: [] } },
    { op: 'add', path: '/list/1/b/new/-', value: 1 },
    { op: 'remove', path: '/keep' },
    { op: 'test', path: '/list/0', value: 2 },
  ];
  const before = structuredClone({ document, patch });
  t.throws(() => applyPatch(document, parsePatch(patch)), { code: 'patch_failed', details: { operation: 3 } });
  applyPatch(document, parsePatch(patch.slice(0, 3)));
  t.strictSame({ document, patch }, before);
});

t.test('a value is added as often as wanted without being shared', async (t) => {
  const value = { n: [] };
  const patch = parsePatch([
    { op: 'add', path: '/a', value },
    { op: 'add', path: '/b', value },
    { op: 'add', path: '/a/n/-', value: 1 },
  ]);
  t.strictSame(applyPatch({}, patch), { a: { n: [1] }, b: { n: [] } });
  t.strictSame(value, { n: [] });
});

t.test('a patch that doubles with each copy is stopped before it grows', async (t) => {
  const patch = Array.from({ length: 100 }, (_, index) => ({ op: 'copy', from: '', path: `/a${index}` }));
  t.throws(() => applyPatch({ text: 'x'.repeat(1000) }, parsePatch(patch)), { code: 'metadata_too_large' });
});

t.test('a patch that nests deeper with each operation is stopped at the bound', async (t) => {
  const deeper = Array.from({ length: 1000 }, (_, index) => [
    { op: 'move', from: '', path: '' },
    { op: 'add', path: '/-', value: index },
  ]).flat();
  t.throws(() => parsePatch(deeper), { code: 'metadata_too_large' }, 'too many operations');
  const wrap = Array.from({ length: 100 }, () => [
    { op: 'add', path: '/next', value: {} },
    { op: 'move', from: '/now', path: '/next/now' },
    { op: 'move', from: '/next', path: '/now' },
  ]).flat();
  t.throws(() => applyPatch({ now: {} }, parsePatch(wrap)), { code: 'metadata_too_large', details: { operation: 187 } });
});

t.test('a result beyond the bounds is refused', async (t) => {
  const bounds = { size: 30, depth: 3, keys: 4, string: 100 };
  const add = (value: JsonValue) => parsePatch([{ op: 'add', path: '/a', value }]);
  t.strictSame(applyPatch({}, add([1, 2, 3]), bounds), { a: [1, 2, 3] });
  t.throws(() => applyPatch({}, add([1, 2, 3, 4]), bounds), {
    code: 'metadata_too_large',
    details: { bound: 'keys', is: 5, max: 4 },
  });
  t.throws(() => applyPatch({}, add('x'.repeat(23)), bounds), {
    code: 'metadata_too_large',
    details: { bound: 'size', is: 31, max: 30 },
  });
  t.throws(() => applyPatch({}, add([[[]]]), bounds), { code: 'metadata_too_large', details: { operation: 0 } });
});

t.test('moving a large value about is work that is bounded too', async (t) => {
  const patch = Array.from({ length: 1000 }, (_, index) => ({ op: 'move', from: `/a${index}`, path: `/a${index + 1}` }));
  t.throws(() => applyPatch({ a0: 'x'.repeat(10_000) }, parsePatch(patch)), { code: 'metadata_too_large' });
});

t.test('replacing the document by any value gives that value', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
      const patch = parsePatch([
        { op: 'test', path: '', value: before as JsonValue },
        { op: 'replace', path: '', value: after as JsonValue },
      ]);
      t.strictSame(applyPatch(before as JsonValue, patch), after);
    }),
    { numRuns: 50 },
  );
});

/** Whatever writes to it throws. */
function frozen(value: JsonValue): JsonValue {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
}
