import t from 'tap';
import { clientBoundNotes, type Taken, toRow, withShareOfNull } from '../../../bench/harness/rows.ts';

const taken = (value: number, cpuSeconds: number | undefined): Taken => ({ value, bytes: 1e9, cpuSeconds });
const none = toRow({ name: 'null server', role: 'null' }, [taken(1000, 0.1)]);
const slow = toRow({ name: 'slow', role: 'quasar' }, [taken(400, 1), taken(500, 2), taken(600, 3)]);
const fast = toRow({ name: 'fast', role: 'peer' }, [taken(900, 0.5)]);
const disk = toRow({ name: 'disk', role: 'ceiling' }, [taken(3000, undefined)]);

t.test('CPU time is that of all runs over all their bytes', async (t) => {
  t.equal(slow.cpuSecondsPerGb, 2);
  t.equal(disk.cpuSecondsPerGb, undefined);
});

t.test('every row with a server has its share of the null server', async (t) => {
  const shares = withShareOfNull([slow, disk, fast, none], false).map(({ ofNull }) => ofNull);
  t.same(shares, [0.5, undefined, 0.9, undefined]);
});

t.test('where less is better the share is that of the null server in ours', async (t) => {
  const [share] = withShareOfNull([toRow({ name: 'a', role: 'quasar' }, [taken(4000, 1)]), none], true);
  t.equal(share?.ofNull, 0.25);
});

t.test('without a null server there are no shares', async (t) => {
  t.same(withShareOfNull([slow, fast], false), [slow, fast]);
});

t.test('who is too near to the null server is named', async (t) => {
  const notes = clientBoundNotes(withShareOfNull([slow, disk, fast, none], false));
  t.equal(notes.length, 1);
  t.match(notes[0], /^Client-bound.*: fast\.$/);
});
