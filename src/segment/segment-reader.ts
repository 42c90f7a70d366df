import { Fault } from './fault.ts';
import { decodeFooter, decodeTrailer, type Footer } from './footer.ts';
import { alignUp, FOOTER_TRAILER, PAGE_SIZE, RECORD_HEADER, SUPERBLOCK } from './format.ts';
import { decodeRecordHeader, type RecordHeader, type SegmentMark } from './record-header.ts';
import { readFully, readPages, type SegmentFile, type SegmentFiles } from './segment-files.ts';
import { decodeSuperblock, type Superblock } from './superblock.ts';

/** Where an index says a record lies. */
export interface ReadPlace {
  readonly mark: SegmentMark;
  /** Offset of the record's header. */
  readonly offset: number;
  /** Size of the payload. */
  readonly size: number;
}

/** @throws the file's read errors. */
export async function readSuperblock(file: SegmentFile): Promise<Superblock | Fault> {
  const bytes = Buffer.alloc(SUPERBLOCK.size);
  const size = await readFully(file, bytes, 0);
  return decodeSuperblock(bytes.subarray(0, size));
}

/**
 * Reads the payload of one record into `target` with one system call. The header is checked; the payload is not:
 * whoever lets the bytes into memory hashes them. @throws the file's read errors.
 */
export async function readRecord(file: SegmentFile, place: ReadPlace, target: Uint8Array): Promise<RecordHeader | Fault> {
  const header = Buffer.allocUnsafe(RECORD_HEADER.size);
  const payload = target.subarray(0, place.size);
  const size = await file.readVector([header, payload], place.offset);
  const missing = header.byteLength + place.size - size;
  // Short reads inside a file do not happen on local disks; whoever meets one pays a second call.
  if (missing > 0 && size < header.byteLength) return new Fault('the file ends inside the record header');
  const rest = missing > 0 ? await readFully(file, payload.subarray(place.size - missing), place.offset + size) : 0;
  if (missing > rest) return new Fault('the file ends inside the record');
  return checkHeader(header, place);
}

/**
 * Reads a record as `readRecord`, but past the page cache where the file system can, for telling bad memory from a bad disk.
 * @throws the file's errors.
 */
export async function readRecordFromDisk(
  files: SegmentFiles,
  path: string,
  place: ReadPlace,
  target: Uint8Array,
): Promise<RecordHeader | Fault> {
  const file = await openPastCache(files, path);
  try {
    const begin = place.offset - (place.offset % PAGE_SIZE);
    const shift = place.offset - begin;
    const pages = alignedPages(alignUp(shift + RECORD_HEADER.size + place.size, PAGE_SIZE));
    const size = await readPages(file, pages, begin);
    if (size < shift + RECORD_HEADER.size + place.size) return new Fault('the file ends inside the record');
    const payloadAt = shift + RECORD_HEADER.size;
    target.set(pages.subarray(payloadAt, payloadAt + place.size));
    return checkHeader(pages.subarray(shift, payloadAt), place);
  } finally {
    await file.close();
  }
}

/** The checked footer of a sealed segment. @throws the file's read errors. */
export async function readFooter(file: SegmentFile, mark: SegmentMark): Promise<Footer | Fault> {
  const fileSize = await file.size();
  const last = Buffer.alloc(FOOTER_TRAILER.size);
  const got = await readFully(file, last, Math.max(0, fileSize - last.byteLength));
  const trailer = decodeTrailer(last.subarray(0, got));
  if (trailer instanceof Fault) return trailer;
  const at = fileSize - trailer.footerSize;
  if (at < SUPERBLOCK.size) return new Fault('the footer claims an impossible size');
  const bytes = Buffer.allocUnsafe(trailer.footerSize);
  const size = await readFully(file, bytes, at);
  return decodeFooter(bytes.subarray(0, size), mark, at);
}

/** The header found where the index says that a record lies. */
export function checkHeader(bytes: Uint8Array, place: ReadPlace): RecordHeader | Fault {
  const header = decodeRecordHeader(bytes, place.mark, place.offset);
  if (header instanceof Fault) return header;
  return header.storedSize === place.size ? header : new Fault(`the record holds ${header.storedSize} bytes`);
}

/** Opened with O_DIRECT where the file system knows it. @throws the file system's errors. */
export async function openPastCache(files: SegmentFiles, path: string): Promise<SegmentFile> {
  try {
    return await files.open(path, { access: 'read', direct: true });
  } catch (error) {
    // The file system knows no O_DIRECT (tmpfs): its page cache is the disk.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return files.open(path, { access: 'read', direct: false });
  }
}

/** Only WebAssembly gives page-aligned memory. This is for the rare second look, so it is not kept. */
function alignedPages(size: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(size / WASM_PAGE_SIZE) });
  return new Uint8Array(memory.buffer, 0, size);
}

const WASM_PAGE_SIZE = 65_536;
