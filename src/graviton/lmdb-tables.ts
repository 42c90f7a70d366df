import { type Database, open, type RootDatabase } from 'lmdb';

const binary = { keyEncoding: 'binary', encoding: 'binary' } as const;

export const STATE_KEY = Buffer.from('state');

/** `blocks` (32 raw bytes of id to 32 bytes of entry), `manifests` (ids alone) and `meta` (state). */
export interface LmdbTables {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly blocks: Database<Buffer, Buffer>;
  readonly manifests: Database<Buffer, Buffer>;
  readonly meta: Database<Buffer, Buffer>;
}

/**
 * Threads of a process that open the same folder share its map. Overlapping syncs would keep pages of two transactions alive: a
 * larger file for a speed nobody waits for.
 */
export function openTables(directory: string): LmdbTables {
  const root = open<Buffer, Buffer>({ path: directory, maxDbs: 4, overlappingSync: false, ...binary });
  return {
    root,
    blocks: root.openDB({ name: 'blocks', ...binary }),
    manifests: root.openDB({ name: 'manifests', ...binary }),
    meta: root.openDB({ name: 'meta', ...binary }),
  };
}
