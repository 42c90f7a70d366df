import { openSync, readSync } from 'node:fs';

/**
 * How many bytes this thread has had the disk read so far, which is what reads out of the page cache do not: a counter
 * that Linux keeps for each thread. Undefined where there is none. Call it on the thread it is for, once.
 */
export function threadDiskBytes(): (() => number) | undefined {
  const text = Buffer.alloc(TEXT_SIZE_MAX);
  let file: number;
  try {
    file = openSync('/proc/thread-self/io', 'r');
  } catch {
    return undefined;
  }
  return () => parseDiskBytes(text.toString('latin1', 0, readSync(file, text, 0, TEXT_SIZE_MAX, 0)));
}

/** From the text of the file: a line for each counter, name and number. */
export function parseDiskBytes(text: string): number {
  const at = text.indexOf(NAME);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + NAME.length), 10) || 0;
}

const NAME = '\nread_bytes: ';
/** Seven lines of a name and a number of up to twenty digits. */
const TEXT_SIZE_MAX = 512;
