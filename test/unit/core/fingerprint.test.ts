import t from 'tap';
import { fingerprintOf } from '../../../src/core/fingerprint.ts';

t.test('the same arguments have the same fingerprint, whatever the order of their names', async (t) => {
  t.equal(fingerprintOf({ a: 1, b: { c: [1, 2], d: null } }), fingerprintOf({ b: { d: null, c: [1, 2] }, a: 1 }));
  t.equal(fingerprintOf({ a: undefined, b: 1 }), fingerprintOf({ b: 1 }));
});

t.test('different arguments have different fingerprints', async (t) => {
  const values = [
    {},
    { a: null },
    { a: 1 },
    { a: '1' },
    { a: [1] },
    { a: [1, 2] },
    { a: [2, 1] },
    { 'a":1,"b': 1 },
    [],
    null,
    'a',
  ];
  t.equal(new Set(values.map(fingerprintOf)).size, values.length);
});
