import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { type BlockId, digestToHex } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import type { IndexState, IndexStore } from './block-index.ts';
import { decodeIndexEntry, encodeIndexEntry, INDEX_ENTRY_SIZE, type IndexEntry } from './index-entry.ts';
import { lmdbFileDoubt } from './lmdb-file-check.ts';

const INDEX_VERSION = 1;
const STATE_KEY = Buffer.from('state');
const OPENING = 'OPENING';
/** Written into the mark, which is empty while the index is opened. */
const WRITE_FAILED = 'a write to it failed';
/** A put costs the event loop a few microseconds and the commit one sync: a slice, some 5 ms, must hardly be felt by requests. */
const SLICE_COUNT = 500;

const binary = { keyEncoding: 'binary', encoding: 'binary' } as const;

/**
 * The index in LMDB: `blocks` (32 raw bytes of id to 32 bytes of entry), `manifests` (ids alone) and `meta` (state).
 * The map grows with the file; its pages belong to the page cache and count as mapped file, not as our memory.
 */
export class LmdbBlockIndex implements IndexStore {
  readonly #directory: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #blocks: Database<Buffer, Buffer>;
  readonly #manifests: Database<Buffer, Buffer>;
  readonly #meta: Database<Buffer, Buffer>;
  readonly #key = Buffer.allocUnsafe(32);

  private constructor(directory: string, root: RootDatabase<Buffer, Buffer>) {
    this.#directory = directory;
    this.#root = root;
    this.#blocks = root.openDB({ name: 'blocks', ...binary });
    this.#manifests = root.openDB({ name: 'manifests', ...binary });
    this.#meta = root.openDB({ name: 'meta', ...binary });
  }

  /**
   * Opens the index in `directory`, or an empty one when the old one can not be trusted. LMDB checks its files so
   * little that a bad page ends the process; hence a look at its first pages before, and a mark that says an attempt
   * to open is under way: the next start finds the mark of an attempt that did not survive and drops the index.
   * @throws the file system's error, ENOSPC when a new index has no room.
   */
  static async open(directory: string): Promise<{ store: LmdbBlockIndex; dropped: string | undefined }> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const mark = join(directory, OPENING);
    const doubt = await lmdbFileDoubt(join(directory, 'data.mdb'), mark);
    if (doubt !== undefined) await LmdbBlockIndex.drop(directory);
    if (!(await readdir(directory)).includes('lock.mdb')) await proveRoom(mark);
    await writeFile(mark, '');
    try {
      const store = translated(() => new LmdbBlockIndex(directory, openRoot(directory)));
      store.state();
      return { store, dropped: doubt };
    } finally {
      await rm(mark, { force: true });
    }
  }

  /** Removes every file of a closed index. */
  static async drop(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }

  state(): IndexState | undefined {
    const bytes = this.#meta.get(STATE_KEY);
    return bytes === undefined ? undefined : parseState(bytes.toString('utf8'));
  }

  find(id: BlockId): IndexEntry | undefined {
    this.#key.write(id, 'hex');
    const bytes = this.#blocks.getBinaryFast(this.#key);
    return bytes === undefined ? undefined : decodeIndexEntry(bytes);
  }

  /**
   * Synchronous transactions, a slice in each turn of the event loop: they fail with an error, and the next one may
   * succeed. The asynchronous ones of this library leave it hanging after a failed commit (a full disk).
   * In the order of the keys, so that a slice touches few pages of the tree: digests come in no order, and every page a
   * transaction touches is copied and written.
   * @throws QuasarError `storage_full`, `storage_busy`, `internal`.
   */
  async write(entries: ReadonlyMap<BlockId, IndexEntry | undefined>, state: IndexState): Promise<void> {
    let slice: [BlockId, IndexEntry | undefined][] = [];
    for (const item of [...entries].sort(byId)) {
      slice.push(item);
      if (slice.length < SLICE_COUNT) continue;
      const full = slice;
      slice = [];
      await this.#commit(() => this.#putAll(full));
      await nextTurn();
    }
    await this.#commit(() => {
      this.#putAll(slice);
      this.#meta.putSync(STATE_KEY, Buffer.from(JSON.stringify({ version: INDEX_VERSION, ...state })));
    });
  }

  manifestIds(after: BlockId | undefined, count: number): BlockId[] {
    return [...this.#manifests.getKeys(rangeAfter(after, count))].map((key) => digestToHex<BlockId>(key));
  }

  entries(after: BlockId | undefined, count: number): (readonly [BlockId, IndexEntry])[] {
    const found: (readonly [BlockId, IndexEntry])[] = [];
    for (const { key, value } of this.#blocks.getRange(rangeAfter(after, count))) {
      const entry = decodeIndexEntry(value);
      if (entry !== undefined) found.push([digestToHex<BlockId>(key), entry]);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** LMDB does not tell a failed sync from a failed write, and a later one may succeed over lost pages: the next start must not rely on them. */
  async #commit(puts: () => void): Promise<void> {
    try {
      translated(() => this.#root.transactionSync(puts));
    } catch (error) {
      if (diskFaultOf(error) !== 'passing') await writeFile(join(this.#directory, OPENING), WRITE_FAILED).catch(() => undefined);
      throw error;
    }
  }

  #putAll(slice: readonly (readonly [BlockId, IndexEntry | undefined])[]): void {
    const value = Buffer.allocUnsafe(INDEX_ENTRY_SIZE);
    for (const [id, entry] of slice) {
      const key = Buffer.from(id, 'hex');
      if (entry === undefined) {
        this.#blocks.removeSync(key);
        this.#manifests.removeSync(key);
        continue;
      }
      encodeIndexEntry(entry, value, 0);
      this.#blocks.putSync(key, value);
      if (entry.kind === 'manifest') this.#manifests.putSync(key, MANIFEST_VALUE);
    }
  }
}

function byId([left]: readonly [BlockId, unknown], [right]: readonly [BlockId, unknown]): number {
  return left < right ? -1 : 1;
}

/** LMDB takes no empty values; only the key means something. */
const MANIFEST_VALUE = Buffer.alloc(1);

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Its errors carry the number of the system's error, or its own, as `code`. */
function translated<Result>(work: () => Result): Result {
  try {
    return work();
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

/** Overlapping syncs would keep pages of two transactions alive: a larger file for a speed nobody waits for. */
function openRoot(directory: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({ path: directory, maxDbs: 4, overlappingSync: false, ...binary });
}

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
