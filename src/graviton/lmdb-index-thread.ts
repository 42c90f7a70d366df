import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { DIGEST_SIZE } from '../core/digest.ts';
import { decodeIndexEntry } from './index-entry.ts';
import { END, INDEX_ITEM_SIZE, type IndexAnswer, type IndexWrite } from './index-messages.ts';
import { type LmdbTables, openTables, STATE_KEY } from './lmdb-tables.ts';

/** The thread of `IndexThread`: a commit waits for the disk, and here nothing else waits for it. */
const port = parentPort;
assert(port !== null, 'this is the program of a thread');
let tables: LmdbTables | undefined;
port.on('message', (message: IndexWrite | typeof END) => {
  if (message === END) end();
  else port.postMessage(answerTo(message));
});

function end(): void {
  port?.close();
  void tables?.root.close();
}

function answerTo(write: IndexWrite): IndexAnswer {
  try {
    tables ??= openTables(workerData as string);
    commit(tables, write);
    return undefined;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { message, code };
  }
}

/**
 * Synchronous transactions: they fail with an error, and the next one may succeed. The asynchronous ones of this library leave
 * it hanging after a failed commit (a full disk).
 * In the order of the keys, so that a transaction touches few pages of the tree: digests come in no order, and every page a
 * transaction touches is copied and written.
 */
function commit({ root, meta, ...written }: LmdbTables, write: IndexWrite): void {
  const items = Buffer.from(write.items.buffer);
  const order = new Uint32Array(items.byteLength / INDEX_ITEM_SIZE).map((_, item) => item * INDEX_ITEM_SIZE);
  order.sort((left, right) => items.compare(items, right, right + DIGEST_SIZE, left, left + DIGEST_SIZE));
  let from = 0;
  for (; from + SLICE_COUNT < order.length; from += SLICE_COUNT) {
    root.transactionSync(() => putAll(written, items, order.subarray(from, from + SLICE_COUNT)));
  }
  root.transactionSync(() => {
    putAll(written, items, order.subarray(from));
    meta.putSync(STATE_KEY, Buffer.from(write.state));
  });
}

function putAll({ blocks, manifests }: Pick<LmdbTables, 'blocks' | 'manifests'>, items: Buffer, places: Uint32Array): void {
  for (const at of places) {
    const key = items.subarray(at, at + DIGEST_SIZE);
    const value = items.subarray(at + DIGEST_SIZE, at + INDEX_ITEM_SIZE);
    const entry = decodeIndexEntry(value);
    if (entry === undefined) {
      blocks.removeSync(key);
      manifests.removeSync(key);
      continue;
    }
    blocks.putSync(key, value);
    if (entry.kind === 'manifest') manifests.putSync(key, MANIFEST_VALUE);
  }
}

/** LMDB takes no empty values; only the key means something. */
const MANIFEST_VALUE = Buffer.alloc(1);
/** A transaction keeps the pages it touches in memory until its end. */
const SLICE_COUNT = 2000;
