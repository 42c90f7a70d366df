import fc from 'fast-check';
import t from 'tap';
import {
  allCapabilities,
  type Capability,
  capabilities,
  capabilityNames,
  capabilitySet,
  differenceOf,
  hasCapability,
  intersectionOf,
  noCapabilities,
  parseCapability,
  parseCapabilityMask,
  unionOf,
} from '../../../src/core/capability.ts';

/** Stored masks and issued tokens rely on these. New names go to the end; a line that is here stays as it is. */
const pinned: Readonly<Record<Capability, number>> = {
  'blob.read': 0x1,
  'blob.write': 0x2,
  'blob.delete': 0x4,
  'doc.read': 0x8,
  'doc.write': 0x10,
  'doc.delete': 0x20,
  'ns.admin': 0x40,
  'acl.admin': 0x80,
  'observability.read': 0x100,
  'audit.read': 0x200,
  'legal_hold.write': 0x400,
  'doc.export': 0x800,
  'doc.dispose': 0x1000,
  'schema.admin': 0x2000,
  'key.admin': 0x4000,
  'workflow.run': 0x8000,
  'job.admin': 0x10000,
  'cluster.admin': 0x20000,
};

t.test('every capability keeps its bit', async (t) => {
  t.same([...capabilities], Object.keys(pinned));
  for (const name of capabilities) {
    t.equal(capabilitySet(name), pinned[name], name);
    t.equal(parseCapabilityMask(pinned[name]), capabilitySet(name), name);
  }
  t.equal(allCapabilities, 0x3ffff);
  t.equal(noCapabilities, 0);
});

t.test('sets behave as sets of names do', async (t) => {
  const names = fc.uniqueArray(fc.constantFrom(...capabilities));
  fc.assert(
    fc.property(names, names, fc.constantFrom(...capabilities), (a, b, one) => {
      const [left, right] = [capabilitySet(...a), capabilitySet(...b)];
      const sorted = (list: readonly Capability[]) => capabilities.filter((name) => list.includes(name)).join();
      return (
        capabilityNames(left).join() === sorted(a) &&
        capabilityNames(unionOf(left, right)).join() === sorted([...a, ...b]) &&
        capabilityNames(intersectionOf(left, right)).join() === sorted(a.filter((name) => b.includes(name))) &&
        capabilityNames(differenceOf(left, right)).join() === sorted(a.filter((name) => !b.includes(name))) &&
        hasCapability(left, one) === a.includes(one) &&
        parseCapabilityMask(left) === left
      );
    }),
  );
  t.pass();
});

t.test('a name is read as it is written, and a misspelt one is answered with the nearest', async (t) => {
  for (const name of capabilities) t.equal(parseCapability(name), name);
  t.throws(() => parseCapability('doc.raed'), {
    code: 'capability_unknown',
    message: '"doc.raed" is no capability; did you mean doc.read?',
  });
  for (const name of ['', 'DOC.READ', 'doc.read ', 'doc', 'constructor', '__proto__', 'doc.read\n', 'x'.repeat(100_000)]) {
    t.throws(() => parseCapability(name), { code: 'capability_unknown' }, JSON.stringify(name.slice(0, 20)));
  }
});

t.test('a mask with unknown bits, a sign or a fraction is refused, and so is what is no number', async (t) => {
  const odd = [
    allCapabilities + 1,
    0x40000,
    2 ** 31,
    2 ** 32 + 8,
    2 ** 53,
    1e308,
    -1,
    -8,
    -0,
    0.5,
    8.000001,
    Number.NaN,
    Infinity,
  ];
  for (const mask of [...odd, -Infinity, '8', '', 8n, null, undefined, true, [8], {}]) {
    t.throws(() => parseCapabilityMask(mask), { code: 'capability_unknown' }, String(mask));
  }
});
