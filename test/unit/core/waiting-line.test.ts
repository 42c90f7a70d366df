import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId, type Scope } from '../../../src/core/ids.ts';
import { WaitingLine } from '../../../src/core/waiting-line.ts';

const member = (orgId = newId<OrgId>(systemClock)): Scope => ({ orgId, principalId: newId<PrincipalId>(systemClock) });
const PLACES = { open: 20, kept: 6, few: 3 };
const anybody = () => true;

function drain(line: WaitingLine<string>, mayRun: (orgId: string) => boolean = anybody): string {
  const order: string[] = [];
  for (let task = line.take(mayRun); task !== undefined; task = line.take(mayRun)) order.push(task);
  return order.join(' ');
}

t.test('orgs take turns, and principals within an org; each has its own in order', async (t) => {
  const line = new WaitingLine<string>(PLACES);
  const a = member();
  const colleague = member(a.orgId);
  const b = member();
  for (const task of ['a1', 'a2', 'a3']) line.put(a, task);
  for (const task of ['b1', 'b2']) line.put(b, task);
  for (const task of ['c1', 'c2']) line.put(colleague, task);
  t.equal(drain(line), 'a1 b1 c1 b2 a2 c2 a3');
  t.equal(line.count, 0);
});

t.test('an org that may not run is passed over and keeps its turn', async (t) => {
  const line = new WaitingLine<string>(PLACES);
  const a = member();
  const b = member();
  line.put(a, 'a1');
  line.put(b, 'b1');
  t.equal(
    drain(line, (orgId) => orgId !== a.orgId),
    'b1',
  );
  t.equal(line.count, 1);
  t.equal(drain(line), 'a1');
});

t.test('the line is bounded, and one principal cannot fill it against others', async (t) => {
  const line = new WaitingLine<string>(PLACES);
  const greedy = member();
  for (let n = 0; n < PLACES.open; n++) t.equal(line.put(greedy, `${n}`), undefined);
  t.equal(line.put(greedy, 'one more'), 'principal');
  t.equal(line.put(member(greedy.orgId), 'of a colleague'), undefined);
  t.equal(line.put(member(), 'of another org'), undefined);
  t.equal(line.count, PLACES.open + 2);
});
