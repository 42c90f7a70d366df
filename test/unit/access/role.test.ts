import t from 'tap';
import { capabilitiesOf, roles } from '../../../src/access/role.ts';
import { allCapabilities, capabilityNames, hasCapability, noCapabilities } from '../../../src/core/capability.ts';

t.test('an administrator has every capability there is', async (t) => {
  t.equal(capabilitiesOf(['admin']), allCapabilities);
  t.equal(capabilitiesOf([...roles]), allCapabilities);
});

t.test('without a role nothing is given, with several all they give', async (t) => {
  t.equal(capabilitiesOf([]), noCapabilities);
  const both = new Set(capabilityNames(capabilitiesOf(['reader', 'auditor'])));
  t.strictSame(both, new Set(['blob.read', 'doc.read', 'audit.read', 'observability.read']));
});

t.test('nobody but an administrator changes who may', async (t) => {
  for (const role of roles.filter((name) => name !== 'admin')) {
    for (const power of ['acl.admin', 'key.admin', 'cluster.admin', 'doc.dispose'] as const) {
      t.notOk(hasCapability(capabilitiesOf([role]), power), `${role}: ${power}`);
    }
  }
});
