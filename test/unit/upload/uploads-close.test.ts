import t from 'tap';
import type { FinalizeWish } from '../../../src/upload/finalize.ts';
import { Uploads } from '../../../src/upload/uploads.ts';
import { blobKey, patternBytes } from '../../helpers/bytes.ts';
import { appendRequest, openUploads, storedBytes, testScope, untilStored } from '../../helpers/open-uploads.ts';
import { chunksOf, ScriptedSource } from '../../helpers/scripted-source.ts';

const MiB = 1024 * 1024;
const content = patternBytes(6 * MiB, 11);
const wish = (): FinalizeWish => ({ labels: [], reason: undefined, parents: [], digests: {}, fingerprint: 'same' });
const sending = (start: number, end: number) => new ScriptedSource(chunksOf(content.subarray(start, end), [200_000]));

t.test('close ends writers, and the next process goes on at what is durable', async (t) => {
  const world = await openUploads(t);
  const { uploadId } = await world.open();
  const source = sending(0, 1_200_000);
  source.endless = true;
  const writer = world.uploads.append(testScope, uploadId, appendRequest(source, 0));
  await untilStored(world, source, 1);
  const [stopped] = await Promise.allSettled([writer, world.uploads.close()]);
  t.match(stopped, { status: 'rejected', reason: { code: 'draining' } });
  t.equal((await world.uploads.get(testScope, uploadId)).offset, 1_200_000);
});

t.test('close lets a finalize that is under way come to its end', async (t) => {
  const world = await openUploads(t);
  const { uploadId, documentId } = await world.open();
  await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 3 * MiB), 0));
  const sealing = gate();
  world.sessions.before = (method) => (method === 'seal' ? sealing.reached() : Promise.resolve());
  const finalizing = world.uploads.finalize(testScope, uploadId, wish());
  await sealing.arrival;
  const closing = world.uploads.close();
  await settleTurns();
  sealing.open();
  t.equal((await finalizing).version.blob.key, blobKey(content.subarray(0, 3 * MiB)));
  await closing;
  t.ok((await storedBytes(world, documentId)).equals(content.subarray(0, 3 * MiB)));
});

t.test(
  'close does not wait for the prefix of a resumed upload to be re-hashed: its finalize is told to come again',
  async (t) => {
    const world = await openUploads(t);
    const { uploadId } = await world.open();
    await world.uploads.append(testScope, uploadId, appendRequest(sending(0, 3 * MiB), 0));
    const reading = gate();
    const getBlock = world.cache.get.bind(world.cache) as (...block: unknown[]) => Promise<unknown>;
    const heldGet = async (...block: unknown[]) => {
      await reading.reached();
      return getBlock(...block);
    };
    const cache = new Proxy(world.cache, { get: (real, name) => (name === 'get' ? heldGet : Reflect.get(real, name)) });
    const next = new Uploads({ ...world.deps, cache });
    const finalizing = next.finalize(testScope, uploadId, wish());
    await reading.arrival;
    const [outcome] = await Promise.allSettled([finalizing, next.close(), settleTurns().then(() => reading.open())]);
    t.match(outcome, { status: 'rejected', reason: { code: 'draining' } });
    t.equal((await world.uploads.finalize(testScope, uploadId, wish())).version.blob.size, 3 * MiB);
  },
);

/** Holds who reaches it until it is opened, and tells that somebody has. */
function gate() {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const reached = () => {
    arrive();
    return opened;
  };
  return { open: () => open(), arrival, reached };
}

async function settleTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
