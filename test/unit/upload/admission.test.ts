import t from 'tap';
import { Slab } from '../../../src/core/slab.ts';
import { Admission } from '../../../src/upload/admission.ts';
import { MemoryNode } from '../../helpers/memory-node.ts';

function openAdmission(options: { slots?: number; inFlightMax?: number } = {}) {
  const { slots = 8, inFlightMax = 4 } = options;
  const slab = new Slab({ slotSize: 4096, slotCount: slots, uploadSlotsMax: slots, extraSize: 0 });
  const node = new MemoryNode();
  return { slab, node, admission: new Admission({ slab, node, uploadsInFlightMax: inFlightMax, slotsPerUploadMax: 3 }) };
}

t.test('so many uploads are let in, and a place is free again when one closes, once', async (t) => {
  const { admission } = openAdmission();
  const [first] = [1, 2, 3, 4].map(() => admission.admit());
  t.throws(() => admission.admit(), { code: 'too_many_uploads' });
  first?.close();
  first?.close();
  t.equal(admission.active, 3);
  admission.admit();
  t.throws(() => admission.admit(), { code: 'too_many_uploads' });
});

t.test('no more uploads than slots are let in, whatever the limit says', async (t) => {
  const { admission } = openAdmission({ slots: 2, inFlightMax: 100 });
  admission.admit();
  admission.admit();
  t.throws(() => admission.admit(), { code: 'too_many_uploads' });
});

t.test('every upload may hold one slot at least, and no more than the limit of one', async (t) => {
  const { admission } = openAdmission();
  const alone = admission.admit();
  t.equal(alone.mayHold(), 3);
  const others = [1, 2, 3].map(() => admission.admit());
  t.ok(alone.mayHold() >= 1 && alone.mayHold() * 4 <= 8);
  for (const one of others) t.ok(one.account.tryAcquire(one.mayHold()));
  t.ok(alone.account.tryAcquire(alone.mayHold()));
});

t.test('a node that takes no writes, a full disk and a shutdown refuse new uploads, each by its name', async (t) => {
  const { admission, node } = openAdmission();
  node.full = true;
  t.throws(() => admission.admit(), { code: 'storage_full' });
  node.writable = false;
  t.throws(() => admission.admit(), { code: 'node_read_only' });
  admission.drain();
  t.throws(() => admission.admit(), { code: 'draining' });
  t.equal(admission.active, 0);
});
