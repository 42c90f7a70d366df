import { join } from 'node:path';
import { diskFaultOf } from '../segment/disk-fault.ts';
import { PAGE_SIZE } from '../segment/format.ts';
import { readFully, type SegmentFiles, writeFully } from '../segment/segment-files.ts';

const PROBE = 'direct-io-probe';

/**
 * Whether the file system takes O_DIRECT writes and reads of one page, found out by doing it: some refuse the flag
 * (tmpfs), some only the write. `page` is a page-aligned page of memory that nobody uses.
 */
export async function takesDirectIo(files: SegmentFiles, directory: string, page: Uint8Array): Promise<boolean> {
  const path = join(directory, PROBE);
  await removeIfThere(files, path);
  try {
    const plain = await files.open(path, { access: 'create', direct: false });
    await plain.close();
    const file = await files.open(path, { access: 'write', direct: true });
    try {
      await writeFully(file, page, 0);
      return (await readFully(file, page, 0)) === PAGE_SIZE;
    } finally {
      await file.close();
    }
  } catch (error) {
    // On a full disk, or where something is short, nobody can tell; the page cache always works.
    if ((error as NodeJS.ErrnoException).code === 'EINVAL' || diskFaultOf(error) !== 'final') return false;
    throw error;
  } finally {
    await removeIfThere(files, path);
  }
}

async function removeIfThere(files: SegmentFiles, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
