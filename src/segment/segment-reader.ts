import type { Fault } from './fault.ts';
import type { Footer } from './footer.ts';
import type { RecordHeader, SegmentMark } from './record-header.ts';
import type { SegmentFile, SegmentFiles } from './segment-files.ts';
import type { Superblock } from './superblock.ts';

export declare function readSuperblock(file: SegmentFile): Promise<Superblock | Fault>;
/** Reads `size` payload bytes of the record at `offset` into `target`; checks the header, not the payload. One system call. */
export declare function readRecord(
  file: SegmentFile,
  place: { mark: SegmentMark; offset: number; size: number },
  target: Uint8Array,
): Promise<RecordHeader | Fault>;
/** The same past the page cache where the file system can (O_DIRECT), for telling bad memory from a bad disk. */
export declare function readRecordFromDisk(
  files: SegmentFiles,
  path: string,
  place: { mark: SegmentMark; offset: number; size: number },
  target: Uint8Array,
): Promise<RecordHeader | Fault>;
/** The checked footer of a sealed segment. */
export declare function readFooter(file: SegmentFile, mark: SegmentMark): Promise<Footer | Fault>;
