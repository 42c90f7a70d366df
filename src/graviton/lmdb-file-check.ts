import type { Stats } from 'node:fs';
import { lstat, open, readFile } from 'node:fs/promises';

const PAGE = 4096;
const META = { flags: 0x12, magic: 0x18, version: 0x1c, pageSize: 0x30, lastPage: 0x90 } as const;
const META_MAGIC = 0xbeefc0de;
const META_VERSION = 2;
const META_FLAG = 0x08;

/**
 * Why an LMDB data file should not be opened, in words, or undefined when nothing speaks against it. LMDB trusts its
 * two meta pages and maps as much as they say, so a short or foreign file would end the process with a signal.
 */
export async function lmdbFileDoubt(path: string, openingMark: string): Promise<string | undefined> {
  const mark = await readFile(openingMark, 'utf8').catch(noneIfMissing);
  if (mark !== undefined) return mark === '' ? 'the last attempt to open it ended the process' : mark;
  const found = await lookAt(path);
  if (found === undefined) return undefined;
  if (!found.isFile()) return 'something else lies where its file should be';
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) return undefined;
    const pages = Buffer.alloc(2 * PAGE);
    const { bytesRead } = await file.read(pages, 0, pages.byteLength, 0);
    if (bytesRead < pages.byteLength) return 'the file is too short';
    return metaFault(pages.subarray(0, PAGE), size) ?? metaFault(pages.subarray(PAGE), size);
  } finally {
    await file.close();
  }
}

function metaFault(page: Buffer, fileSize: number): string | undefined {
  if (page.readUInt32LE(META.magic) !== META_MAGIC || (page.readUInt16LE(META.flags) & META_FLAG) === 0) {
    return 'a meta page is not one';
  }
  if (page.readUInt32LE(META.version) !== META_VERSION) return 'a meta page has another version';
  if (page.readUInt32LE(META.pageSize) !== PAGE) return 'it has another page size';
  const end = (page.readBigUInt64LE(META.lastPage) + 1n) * BigInt(PAGE);
  return end > BigInt(fileSize) ? 'the file is shorter than it says' : undefined;
}

function noneIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function lookAt(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(noneIfMissing);
}
