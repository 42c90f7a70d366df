import t from 'tap';
import { LineBatches } from '../../../src/telemetry/line-batches.ts';

function batchesOf(sizeMax: number) {
  const calls: string[] = [];
  const sink = {
    write: (text: string) => void calls.push(text),
    flush: () => void calls.push('flush'),
    flushSync: () => void calls.push('flushSync'),
  };
  return { calls, batches: new LineBatches(sink, sizeMax) };
}

t.test('lines leave together when they are long enough, in order', async (t) => {
  const { calls, batches } = batchesOf(6);
  batches.write('a\n');
  batches.write('b\n');
  t.same(calls, []);
  batches.write('c\n');
  batches.write('d\n');
  t.same(calls, ['a\nb\nc\n']);
});

t.test('a flush hands on what there is, then flushes', async (t) => {
  const { calls, batches } = batchesOf(100);
  batches.write('a\n');
  batches.flush();
  batches.flush();
  batches.write('b\n');
  batches.flushSync();
  t.same(calls, ['a\n', 'flush', 'flush', 'b\n', 'flushSync']);
});
