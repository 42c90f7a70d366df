import fc from 'fast-check';
import { queueOptionsSymbol } from 'piscina';
import t from 'tap';
import { LaneQueue } from '../../../src/chunker/piscina-lane-queue.ts';

interface NamedTask {
  readonly name: string;
  readonly [queueOptionsSymbol]: { readonly stream: number } | null;
}

const ofStream = (stream: number, name: string): NamedTask => ({ name, [queueOptionsSymbol]: { stream } });
const single = (name: string): NamedTask => ({ name, [queueOptionsSymbol]: null });

function drain(queue: LaneQueue): string[] {
  const names: string[] = [];
  for (let task = queue.shift(); task !== null; task = queue.shift()) names.push((task as NamedTask).name);
  return names;
}

t.test('streams take turns', async (t) => {
  const queue = new LaneQueue();
  for (const name of ['a1', 'a2', 'a3', 'a4']) queue.push(ofStream(1, name));
  for (const name of ['b1', 'b2']) queue.push(ofStream(2, name));
  queue.push(ofStream(3, 'c1'));
  t.equal(queue.size, 7);
  t.same(drain(queue), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  t.equal(queue.size, 0);
  t.equal(queue.shift(), null);
});

t.test('single jobs go first, but only six in a row while a stream waits', async (t) => {
  const queue = new LaneQueue();
  queue.push(ofStream(1, 'a1'));
  queue.push(ofStream(1, 'a2'));
  for (let index = 1; index <= 15; index++) queue.push(single(`s${index}`));
  t.same(drain(queue), [
    ...['s1', 's2', 's3', 's4', 's5', 's6', 'a1'],
    ...['s7', 's8', 's9', 's10', 's11', 's12', 'a2'],
    ...['s13', 's14', 's15'],
  ]);
});

t.test('a task that is given back is the next one', async (t) => {
  const queue = new LaneQueue();
  queue.unshift(ofStream(1, 'a1'));
  queue.push(ofStream(1, 'a2'));
  queue.push(single('s1'));
  const first = queue.shift() as NamedTask;
  t.equal(first.name, 'a1');
  queue.unshift(first);
  t.equal(queue.size, 3);
  t.same(drain(queue), ['a1', 's1', 'a2']);
});

t.test('whatever happens, every job leaves once and those of a stream in order', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom('shift', 'give back')), { maxLength: 200 }),
      (steps) => {
        const queue = new LaneQueue();
        const left: NamedTask[] = [];
        let pushed = 0;
        for (const step of steps) {
          if (typeof step === 'number') {
            const name = String(pushed++);
            queue.push(step < 0 ? single(name) : ofStream(step, name));
            continue;
          }
          const task = queue.shift() as NamedTask | null;
          if (task !== null && step === 'give back') queue.unshift(task);
          else if (task !== null) left.push(task);
        }
        for (let task = queue.shift(); task !== null; task = queue.shift()) left.push(task as NamedTask);
        const last = new Map<number, number>();
        const inOrder = left.every((task) => {
          const line = task[queueOptionsSymbol]?.stream ?? -1;
          const before = last.get(line) ?? -1;
          last.set(line, Number(task.name));
          return before < Number(task.name);
        });
        return inOrder && left.length === pushed && queue.size === 0;
      },
    ),
  );
});
