import t from 'tap';
import { BlockList } from '../../../src/core/block-list.ts';
import type { BlockId } from '../../../src/core/digest.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { Checkpointer } from '../../../src/upload/checkpointer.ts';
import type { LiveUpload } from '../../../src/upload/live-upload.ts';
import type { CheckpointOptions } from '../../../src/upload/session-store.ts';
import { appendRequest, openUploads, testScope } from '../../helpers/open-uploads.ts';
import { ScriptedSource } from '../../helpers/scripted-source.ts';
import { standingClock } from '../../helpers/standing-clock.ts';
import { digits } from '../../helpers/version-wish.ts';

/** A checkpointer that is due after 100 bytes or 1,000 ms, over a list the test fills. */
async function openCheckpointer(t: { teardown(end: () => Promise<void>): void }) {
  const world = await openUploads(t);
  const clock = standingClock();
  const { uploadId } = await world.open();
  const { session } = await world.sessions.takeOver(testScope, uploadId);
  const blocks = new BlockList();
  const live = { uploadId, fence: session.fence, blocks, piece: undefined, checkpointed: 0 } as unknown as LiveUpload;
  const sent: CheckpointOptions[] = [];
  const failures: QuasarError[] = [];
  const sessions = {
    checkpoint: async (scope: typeof testScope, options: CheckpointOptions) => {
      sent.push(options);
      await world.sessions.checkpoint(scope, options);
    },
  } as typeof world.sessions;
  const deps = { sessions, clock, checkpointBytes: 100, checkpointIntervalMs: 1000 };
  const checkpoints = new Checkpointer(testScope, live, deps, (error) => failures.push(error));
  const add = (size: number) => {
    blocks.push(digits(`block ${blocks.count}`) as BlockId, size);
    checkpoints.offer();
  };
  const offset = async () => (await world.uploads.get(testScope, uploadId)).offset;
  return { world, clock, live, checkpoints, sent, failures, add, offset };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test('a checkpoint is written after so many bytes or so much time, one at a time', async (t) => {
  const { clock, sent, add, offset } = await openCheckpointer(t);
  add(60);
  await settled();
  t.equal(sent.length, 0);
  add(40);
  add(500);
  await settled();
  t.equal(sent.length, 1, 'the second was offered while the first was being written');
  t.equal(await offset(), 100);
  clock.advance(1000);
  add(1);
  await settled();
  t.match(sent[1], { fromBlock: 2, offset: 601 });
  t.equal(await offset(), 601);
});

t.test('the end writes everything, its piece included', async (t) => {
  const { live, sent, add, checkpoints, offset } = await openCheckpointer(t);
  add(30);
  live.piece = { id: digits('piece') as BlockId, size: 7 };
  await checkpoints.finish();
  t.match(sent, [{ fromBlock: 0, offset: 37, piece: { size: 7 } }]);
  t.equal(await offset(), 37);
});

t.test('a checkpoint whose answer was lost is sent again as it was before the next one goes', async (t) => {
  const { world, sent, failures, add, checkpoints, offset } = await openCheckpointer(t);
  world.sessions.after = async (method) => {
    if (method === 'checkpoint') throw new QuasarError('database_unavailable', { op: 'test' });
  };
  add(100);
  await settled();
  t.match(failures, [{ code: 'database_unavailable' }]);
  world.sessions.after = async () => {};
  add(50);
  await checkpoints.finish();
  t.same(
    sent.map(({ fromBlock, offset }) => [fromBlock, offset]),
    [
      [0, 100],
      [0, 100],
      [1, 150],
      [2, 150],
    ],
  );
  t.equal(await offset(), 150);
});

t.test('a writer that was taken over elsewhere is told so in the middle of its request', async (t) => {
  const world = await openUploads(t, { changes: { checkpointBytes: 1 } });
  const { uploadId } = await world.open();
  const source = new ScriptedSource([new Uint8Array(10)]);
  source.endless = true;
  const writing = world.uploads.append(testScope, uploadId, appendRequest(source, 0));
  await settled();
  await settled();
  await world.sessions.takeOver(testScope, uploadId);
  for (let chunk = 0; chunk < 10; chunk++) source.send(new Uint8Array(300_000));
  await t.rejects(writing, { code: 'upload_taken_over' });
  t.equal(world.slab.uploadSlots, 0);
});
