import type { SegmentFile, SegmentFiles } from '../segment/segment-files.ts';

/** Undefined when there is no such file; every other failure is told. */
export async function openIfThere(
  files: SegmentFiles,
  path: string,
  access: 'read' | 'write' = 'read',
): Promise<SegmentFile | undefined> {
  try {
    return await files.open(path, { access, direct: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
