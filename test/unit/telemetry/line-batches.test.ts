import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LineBatches } from '../../../src/telemetry/line-batches.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function openFile(t: Test, sizeMax: number) {
  const file = join(temporaryFolder(t), 'log');
  const descriptor = openSync(file, 'w');
  t.teardown(() => closeSync(descriptor));
  return { written: () => readFileSync(file, 'utf8'), batches: new LineBatches({ ...quiet, descriptor, sizeMax }) };
}

const quiet = {
  describeDropped: (count: number) => `dropped ${count}\n`,
  onFailure: (error: Error) => {
    throw error;
  },
};

/** A pipe with a reader that reads when told to, and a writer that is not made to wait. */
function openPipe(t: Test) {
  const pipe = join(temporaryFolder(t), 'pipe');
  t.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(writer));
  const chunk = Buffer.alloc(1 << 20);
  const read = () => chunk.toString('utf8', 0, readSync(reader, chunk));
  return { reader, writer, read };
}

t.test('lines leave together when they are long enough, in order', async (t) => {
  const { written, batches } = openFile(t, 6);
  batches.write('a\n');
  batches.write('b\n');
  t.equal(written(), '');
  batches.write('c\n');
  batches.write('d\n');
  t.equal(written(), 'a\nb\nc\n');
});

t.test('a flush writes what there is', async (t) => {
  const { written, batches } = openFile(t, 100);
  batches.write('a\n');
  batches.flush();
  batches.write('b\n');
  t.equal(written(), 'a\n');
  batches.flushSync();
  t.equal(written(), 'a\nb\n');
});

t.test('what a slow reader has no room for follows later, in order', async (t) => {
  const { reader, writer, read } = openPipe(t);
  t.teardown(() => closeSync(reader));
  const batches = new LineBatches({ ...quiet, descriptor: writer, sizeMax: 1000 });
  const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}\n`);
  for (const line of lines) batches.write(line);
  let all = '';
  while (all.length < lines.join('').length) {
    all += read();
    batches.flush();
  }
  t.equal(all, lines.join(''));
});

t.test('for a reader that has stopped, memory ends somewhere, and the log says what is missing', async (t) => {
  const { reader, writer, read } = openPipe(t);
  t.teardown(() => closeSync(reader));
  const batches = new LineBatches({ ...quiet, descriptor: writer, sizeMax: 1000 });
  const line = `${'x'.repeat(1_000_000)}\n`;
  for (let index = 0; index < 20; index++) batches.write(line);
  let all = '';
  do {
    all += read();
    batches.flush();
  } while (!all.includes('dropped'));
  const [, count] = /dropped (\d+)\n$/.exec(all) ?? [];
  t.equal(all.replace(/dropped.*\n$/, '').length / line.length + Number(count), 20);
});

t.test('a reader that went away is told of once', async (t) => {
  const { reader, writer } = openPipe(t);
  const faults: Error[] = [];
  const batches = new LineBatches({ ...quiet, descriptor: writer, sizeMax: 1, onFailure: (error) => void faults.push(error) });
  closeSync(reader);
  batches.write('a\n');
  batches.write('b\n');
  batches.flushSync();
  t.match(faults, [{ code: 'EPIPE' }]);
});
