import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockId, digestToHex } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { makeMissing } from '../disk/durable-folder.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import type { IndexState, IndexStore } from './block-index.ts';
import { decodeIndexEntry, type IndexEntry } from './index-entry.ts';
import { INDEX_ITEM_SIZE, type IndexWrite, putItem } from './index-messages.ts';
import { IndexThread } from './index-thread.ts';
import { lmdbFileDoubt } from './lmdb-file-check.ts';
import { type LmdbTables, openTables, STATE_KEY } from './lmdb-tables.ts';

const INDEX_VERSION = 1;
const OPENING = 'OPENING';
/** Written into the mark, which is empty while the index is opened. */
const WRITE_FAILED = 'a write to it failed';
/** So many are encoded in a turn of the event loop: some 2 ms, which requests hardly feel. */
const ENCODED_AT_ONCE = 2000;

/**
 * The index in LMDB. The map grows with the file; its pages belong to the page cache and count as mapped file, not as our memory.
 * It is read here and written by a thread: a commit waits for the disk, and readers of LMDB never wait for a writer.
 */
export class LmdbBlockIndex implements IndexStore {
  readonly #directory: string;
  readonly #tables: LmdbTables;
  readonly #thread: IndexThread;
  readonly #key = Buffer.allocUnsafe(32);

  private constructor(directory: string) {
    this.#directory = directory;
    this.#tables = openTables(directory);
    this.#thread = new IndexThread(directory);
  }

  /**
   * Opens the index in `directory`, or an empty one when the old one can not be trusted. LMDB checks its files so
   * little that a bad page ends the process; hence a look at its first pages before, and a mark that says an attempt
   * to open is under way: the next start finds the mark of an attempt that did not survive and drops the index.
   * @throws the file system's error, ENOSPC when a new index has no room.
   */
  static async open(directory: string): Promise<{ store: LmdbBlockIndex; dropped: string | undefined }> {
    await makeMissing(directory);
    const mark = join(directory, OPENING);
    const doubt = await lmdbFileDoubt(join(directory, 'data.mdb'), mark);
    if (doubt !== undefined) await LmdbBlockIndex.drop(directory);
    if (!(await readdir(directory)).includes('lock.mdb')) await proveRoom(mark);
    await writeFile(mark, '');
    try {
      const store = await translated(async () => new LmdbBlockIndex(directory));
      store.state();
      return { store, dropped: doubt };
    } finally {
      await rm(mark, { force: true });
    }
  }

  /** Removes every file of a closed index. */
  static async drop(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true });
    await makeMissing(directory);
  }

  state(): IndexState | undefined {
    const bytes = this.#tables.meta.get(STATE_KEY);
    return bytes === undefined ? undefined : parseState(bytes.toString('utf8'));
  }

  find(id: BlockId): IndexEntry | undefined {
    this.#key.write(id, 'hex');
    const bytes = this.#tables.blocks.getBinaryFast(this.#key);
    return bytes === undefined ? undefined : decodeIndexEntry(bytes);
  }

  /** @throws QuasarError `storage_full`, `storage_busy`, `internal`. */
  async write(entries: ReadonlyMap<BlockId, IndexEntry | undefined>, state: IndexState): Promise<void> {
    const items = Buffer.from(new ArrayBuffer(entries.size * INDEX_ITEM_SIZE));
    let at = 0;
    for (const [id, entry] of entries) {
      putItem(items, at, id, entry);
      at += INDEX_ITEM_SIZE;
      if (at % (ENCODED_AT_ONCE * INDEX_ITEM_SIZE) === 0) await nextTurn();
    }
    await this.#commit({ items, state: JSON.stringify({ version: INDEX_VERSION, ...state }) });
  }

  manifestIds(after: BlockId | undefined, count: number): BlockId[] {
    return [...this.#tables.manifests.getKeys(rangeAfter(after, count))].map((key) => digestToHex<BlockId>(key));
  }

  entries(after: BlockId | undefined, count: number): (readonly [BlockId, IndexEntry])[] {
    const found: (readonly [BlockId, IndexEntry])[] = [];
    for (const { key, value } of this.#tables.blocks.getRange(rangeAfter(after, count))) {
      const entry = decodeIndexEntry(value);
      if (entry !== undefined) found.push([digestToHex<BlockId>(key), entry]);
    }
    return found;
  }

  /** Waits for the write under way. */
  async close(): Promise<void> {
    await this.#thread.close();
    await this.#tables.root.close();
  }

  /** LMDB does not tell a failed sync from a failed write, and a later one may succeed over lost pages: the next start must not rely on them. */
  async #commit(write: IndexWrite): Promise<void> {
    try {
      await translated(() => this.#thread.write(write));
    } catch (error) {
      if (diskFaultOf(error) !== 'passing') await writeFile(join(this.#directory, OPENING), WRITE_FAILED).catch(() => undefined);
      throw error;
    } finally {
      // What is read in this turn was looked up as it was before.
      this.#tables.root.resetReadTxn();
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Its errors carry the number of the system's error, or its own, as `code`. */
async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const code = ({ full: 'storage_full', passing: 'storage_busy', final: 'internal' } as const)[diskFaultOf(cause)];
    throw new QuasarError(code, {
      op: 'graviton.index',
      message: `The block index cannot be written: ${(cause as Error).message}`,
      cause,
    });
  }
}

/** LMDB maps its new lock file and writes to it through the map: without room that is a signal, not an error. */
async function proveRoom(path: string): Promise<void> {
  try {
    await writeFile(path, Buffer.alloc(LOCK_FILE_ROOM));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

const LOCK_FILE_ROOM = 64 * 1024;

function rangeAfter(after: BlockId | undefined, limit: number): { start?: Buffer; exclusiveStart?: boolean; limit: number } {
  return after === undefined ? { limit } : { start: Buffer.from(after, 'hex'), exclusiveStart: true, limit };
}

/** Undefined for whatever we did not write: the index is then taken for empty and filled again. */
function parseState(text: string): IndexState | undefined {
  try {
    const { version, ...state } = JSON.parse(text) as IndexState & { version: number };
    return version === INDEX_VERSION ? state : undefined;
  } catch {
    return undefined;
  }
}
