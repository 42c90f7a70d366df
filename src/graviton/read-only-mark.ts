import { dirname } from 'node:path';
import { diskFaultOf } from '../segment/disk-fault.ts';
import { createFile, removeFile, syncFile, syncFolder } from '../segment/durable-steps.ts';
import { nodePaths } from '../segment/format.ts';
import { readFully, type SegmentFiles, writeFully } from '../segment/segment-files.ts';
import { openIfThere } from './open-if-there.ts';
import { NODE_ITSELF, type SegmentLedger } from './segment-ledger.ts';

/** A failure of the disk that MANIFEST could not take. */
export interface DiskMark {
  /** The segment whose bytes are in doubt; `NODE_ITSELF` when it is none of them. */
  readonly segment: number;
  readonly reason: string;
}

/**
 * Keeps that a disk failed where MANIFEST cannot: in the file READ-ONLY of the node, and beside the node's folder, which
 * may lie on another disk. While one of the two is there the node takes no writes and MANIFEST is left as it is. One
 * line of JSON a failure; a file that cannot be read counts like one that can.
 * @throws the file's error when we were short of something.
 */
export async function readMarks(files: SegmentFiles, directory: string): Promise<readonly DiskMark[]> {
  const marks: DiskMark[] = [];
  for (const path of markPaths(directory)) {
    const text = await readText(files, path);
    if (text !== undefined) marks.push(...parseMarks(text));
  }
  return marks;
}

/**
 * Adds a mark wherever it can, durably in at least one place where the disk lets us: even a mark whose sync fails is
 * there for the next process, unless the machine goes down first.
 * @throws the last error when no place took it durably.
 */
export async function addMark(files: SegmentFiles, directory: string, mark: DiskMark): Promise<void> {
  const line = Buffer.from(`${JSON.stringify(mark)}\n`);
  let failure: unknown;
  for (const path of markPaths(directory)) {
    try {
      await appendLine(files, path, line);
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/**
 * What the marks say of this node's segments, the node itself last. A mark without content (the disk was full as well)
 * leaves every segment in doubt that was not sealed.
 */
export function meaningOf(marks: readonly DiskMark[], ledger: SegmentLedger): readonly DiskMark[] {
  const [first] = marks;
  if (first === undefined) return [];
  const hit = marks.filter(({ segment }) => segment !== NODE_ITSELF);
  const open = marks.some(({ reason }) => reason === UNKNOWN_REASON)
    ? ledger.segments.filter(({ sealed }) => sealed === undefined)
    : [];
  return [
    ...hit,
    ...open.map(({ segment }) => ({ segment, reason: UNKNOWN_REASON })),
    { segment: NODE_ITSELF, reason: first.reason },
  ];
}

/** For when an operator has accepted the disk. */
export async function removeMarks(files: SegmentFiles, directory: string): Promise<void> {
  for (const path of markPaths(directory)) {
    await removeFile(files, path);
    await syncFolder(files, dirname(path));
  }
}

/** Where a node's marks lie. */
export function markPaths(directory: string): readonly [string, string] {
  return [`${directory}/${nodePaths.readOnly}`, `${directory}.${nodePaths.readOnly}`];
}

async function appendLine(files: SegmentFiles, path: string, line: Uint8Array): Promise<void> {
  const known = await openIfThere(files, path, 'write');
  if (known === undefined) return createFile(files, path, (file) => writeFully(file, line, 0));
  try {
    await writeFully(known, line, await known.size());
    await syncFile(known);
  } finally {
    await known.close();
  }
}

/** A mark is short; what is not, is none of ours, and counts all the same. */
const MARK_SIZE_MAX = 64 * 1024;

async function readText(files: SegmentFiles, path: string): Promise<string | undefined> {
  try {
    const file = await openIfThere(files, path);
    if (file === undefined) return undefined;
    try {
      const bytes = Buffer.alloc(Math.min(await file.size(), MARK_SIZE_MAX));
      return bytes.subarray(0, await readFully(file, bytes, 0)).toString('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (diskFaultOf(error) === 'passing') throw error;
    return '';
  }
}

/** At least one, whatever the file holds. */
function parseMarks(text: string): readonly DiskMark[] {
  const marks = text.split('\n').flatMap(parseMark);
  return marks.length > 0 ? marks : [{ segment: NODE_ITSELF, reason: UNKNOWN_REASON }];
}

const UNKNOWN_REASON =
  'The disk failed, and why could not be kept. Check the disk, then take it back with: quasar graviton accept-disk';

function parseMark(line: string): DiskMark[] {
  try {
    const { segment, reason } = JSON.parse(line) as Partial<DiskMark>;
    return Number.isSafeInteger(segment) && typeof reason === 'string' ? [{ segment: segment as number, reason }] : [];
  } catch {
    return [];
  }
}
