import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { NodeId } from '../core/ids.ts';
import { replaceFile } from '../segment/durable-steps.ts';
import { Fault } from '../segment/fault.ts';
import { nodePaths } from '../segment/format.ts';
import { readFully, type SegmentFiles } from '../segment/segment-files.ts';

/** A pass over all segments that were sealed when it began. */
export interface ScrubPass {
  readonly startedMs: number;
  /** The last segment of the pass. */
  readonly through: number;
  /** The next record: all before it in the order of segments and offsets are done. */
  readonly segment: number;
  readonly offset: number;
  /** Done so far: payload bytes and records verified, records found damaged or unreadable. */
  readonly bytes: number;
  readonly records: number;
  readonly damaged: number;
  readonly unreadable: number;
  /** Superblocks and footers found damaged. */
  readonly structures: number;
}

export interface ScrubProgress {
  readonly pass: ScrubPass | undefined;
  /** The last pass that came to its end. */
  readonly completed: { readonly startedMs: number; readonly endedMs: number } | undefined;
}

export const noProgress: ScrubProgress = { pass: undefined, completed: undefined };

const VERSION = 1;
const SIZE_MAX = 4096;

/** One line of JSON and its CRC-32 in hex: a person can read it, a torn or foreign file is not taken for progress. */
export function encodeScrubProgress(progress: ScrubProgress, node: NodeId): Buffer {
  const text = JSON.stringify({ version: VERSION, node, ...progress });
  return Buffer.from(`${text}\n${checksum(text)}\n`);
}

export function decodeScrubProgress(bytes: Uint8Array, node: NodeId): ScrubProgress | Fault {
  const [text = '', sum, rest] = Buffer.from(bytes).toString('utf8').split('\n');
  if (sum !== checksum(text) || rest !== '') return new Fault('its checksum does not match');
  const { version, node: owner, pass, completed } = JSON.parse(text) as ScrubProgress & { version: unknown; node: unknown };
  if (version !== VERSION) return new Fault(`it has version ${version}`);
  // An earlier version did not count what was damaged of a segment's structure.
  const whole = pass === undefined ? undefined : { ...pass, structures: pass.structures ?? 0 };
  return owner === node ? { pass: whole, completed } : new Fault('it belongs to another node');
}

/** A fault, too, when there is no such file. @throws the file's other errors. */
export async function readScrubProgress(files: SegmentFiles, directory: string, node: NodeId): Promise<ScrubProgress | Fault> {
  try {
    const file = await files.open(join(directory, nodePaths.scrub), { access: 'read', direct: false });
    try {
      const bytes = Buffer.alloc(SIZE_MAX);
      return decodeScrubProgress(bytes.subarray(0, await readFully(file, bytes, 0)), node);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Fault('there is none');
    throw error;
  }
}

/** Durable when it resolves; a crash leaves the old one or the new one. @throws the file's errors. */
export async function writeScrubProgress(
  files: SegmentFiles,
  directory: string,
  state: { progress: ScrubProgress; node: NodeId },
): Promise<void> {
  await replaceFile(files, join(directory, nodePaths.scrub), encodeScrubProgress(state.progress, state.node));
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
