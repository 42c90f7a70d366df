import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId, type Scope } from '../../../src/core/ids.ts';
import { Slab } from '../../../src/core/slab.ts';
import { Admission } from '../../../src/upload/admission.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';
import { testScope } from '../../helpers/open-uploads.ts';

const owner = testScope;

function openAdmission(options: { slots?: number; inFlightMax?: number } = {}) {
  const { slots = 8, inFlightMax = 4 } = options;
  const slab = new Slab({ slotSize: 4096, slotCount: slots, uploadSlotsMax: slots, extraSize: 0 });
  const node = new MemoryNode();
  return { slab, node, admission: new Admission({ slab, node, uploadsInFlightMax: inFlightMax, slotsPerUploadMax: 3 }) };
}

t.test('so many uploads are let in, and a place is free again when one closes, once', async (t) => {
  const { admission } = openAdmission();
  const [first] = [1, 2, 3, 4].map(() => admission.admit(owner));
  t.throws(() => admission.admit(owner), { code: 'too_many_uploads' });
  first?.close();
  first?.close();
  t.equal(admission.active, 3);
  admission.admit(owner);
  t.throws(() => admission.admit(owner), { code: 'too_many_uploads' });
});

t.test('no more uploads than slots are let in, whatever the limit says', async (t) => {
  const { admission } = openAdmission({ slots: 2, inFlightMax: 100 });
  admission.admit(owner);
  admission.admit(owner);
  t.throws(() => admission.admit(owner), { code: 'too_many_uploads' });
});

t.test('every upload may hold one slot at least, and no more than the limit of one', async (t) => {
  const { admission } = openAdmission();
  const alone = admission.admit(owner);
  t.equal(alone.mayHold(), 3);
  const others = [1, 2, 3].map(() => admission.admit(owner));
  t.ok(alone.mayHold() >= 1 && alone.mayHold() * 4 <= 8);
  for (const one of others) t.ok(one.account.tryAcquire(one.mayHold()));
  t.ok(alone.account.tryAcquire(alone.mayHold()));
});

t.test('a node that takes no writes, a full disk and a shutdown refuse new uploads, each by its name', async (t) => {
  const { admission, node } = openAdmission();
  node.full = true;
  t.throws(() => admission.admit(owner), { code: 'storage_full' });
  node.writable = false;
  t.throws(() => admission.admit(owner), { code: 'node_read_only' });
  admission.drain();
  t.throws(() => admission.admit(owner), { code: 'draining' });
  t.equal(admission.active, 0);
});

t.test('one principal, or one org, that fills its places leaves some to others', async (t) => {
  const { admission } = openAdmission({ slots: 128, inFlightMax: 100 });
  const orgOf = () => newId<OrgId>(systemClock);
  const admitAll = (scope: Scope) => {
    let count = 0;
    try {
      for (;;) {
        admission.admit(scope);
        count += 1;
      }
    } catch (error) {
      t.match(error, { code: 'too_many_uploads' });
      return count;
    }
  };
  const greedyOrg = orgOf();
  const member = (orgId: OrgId): Scope => ({ orgId, principalId: newId<PrincipalId>(systemClock) });
  t.equal(admitAll(member(greedyOrg)), 100, 'as many as one harness runs');
  const crowd = Array.from({ length: 20 }, () => admitAll(member(greedyOrg)));
  t.strictSame(crowd.slice(0, 3), [2, 2, 0], 'colleagues find places, as long as the org has some');
  t.equal(admitAll(member(orgOf())), 2);
  t.equal(admitAll(member(orgOf())), 2);
  t.equal(admission.active, admission.places);
});
