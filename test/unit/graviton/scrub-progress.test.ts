import t from 'tap';
import type { NodeId } from '../../../src/core/ids.ts';
import {
  decodeScrubProgress,
  encodeScrubProgress,
  readScrubProgress,
  type ScrubProgress,
  writeScrubProgress,
} from '../../../src/graviton/scrub-progress.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { flipBit } from '../../helpers/flip-bit.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import { nodeId } from '../../helpers/segment-fixture.ts';

const progress: ScrubProgress = {
  pass: { startedMs: 5, through: 9, segment: 4, offset: 8192, bytes: 1000, records: 3, damaged: 1, unreadable: 2, structures: 1 },
  completed: { startedMs: 1, endedMs: 2 },
};

t.test('progress survives encoding, with and without a pass', async (t) => {
  for (const state of [progress, { ...progress, pass: undefined }, { pass: undefined, completed: undefined }]) {
    t.same(decodeScrubProgress(encodeScrubProgress(state, nodeId), nodeId), state);
  }
});

t.test('any flipped bit and any truncation is a fault, and so is the progress of another node', async (t) => {
  const bytes = encodeScrubProgress(progress, nodeId);
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    if (!(decodeScrubProgress(flipBit(bytes, bit), nodeId) instanceof Fault)) t.fail(`bit ${bit} is not noticed`);
  }
  for (let size = 0; size < bytes.byteLength; size++) {
    if (!(decodeScrubProgress(bytes.subarray(0, size), nodeId) instanceof Fault)) t.fail(`${size} bytes are taken`);
  }
  t.match(decodeScrubProgress(bytes, '018f0000-0000-7000-8000-000000000002' as NodeId), { meaning: /another node/ });
});

t.test('a crash at any step of writing leaves the old progress or the new one', async (t) => {
  const older = { ...progress, pass: undefined };
  const count = await stepsOfSecondWrite(Number.POSITIVE_INFINITY).then(({ steps }) => steps);
  t.ok(count >= 4);
  for (let step = 1; step <= count; step++) {
    const { files } = await stepsOfSecondWrite(step);
    for (const kept of [true, false]) {
      const left = JSON.stringify(
        await readScrubProgress(
          files.crash(() => kept),
          '/node',
          nodeId,
        ),
      );
      t.ok(left === JSON.stringify(older) || left === JSON.stringify(progress), `step ${step} leaves ${left}`);
    }
  }

  async function stepsOfSecondWrite(failAt: number): Promise<{ files: MemoryFiles; steps: number }> {
    const files = new MemoryFiles();
    await writeScrubProgress(files, '/node', { progress: older, node: nodeId });
    let steps = 0;
    files.hook = ({ path }) => {
      steps += 1;
      if (steps >= failAt) throw failure('EIO', path);
      return undefined;
    };
    await writeScrubProgress(files, '/node', { progress, node: nodeId }).catch(() => undefined);
    files.hook = () => undefined;
    return { files, steps };
  }
});
