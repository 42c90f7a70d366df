import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The unit of `st_blocks`, whatever the file system's own is. */
const STAT_BLOCK = 512;

/** Bytes that a folder and all below it take on the disk, directories included. What goes away meanwhile counts nothing. */
export function diskSizeOf(folder: string): number {
  const own = lstatSync(folder, { throwIfNoEntry: false });
  if (own === undefined) return 0;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
    (size, name) => size + (lstatSync(join(folder, name), { throwIfNoEntry: false })?.blocks ?? 0) * STAT_BLOCK,
    own.blocks * STAT_BLOCK,
  );
}
