import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { createFile } from '../segment/durable-steps.ts';
import { FooterBuilder } from '../segment/footer.ts';
import { nodePaths, RECORD_HEADER, segmentFileName } from '../segment/format.ts';
import { sealSegment } from '../segment/seal-segment.ts';
import { readFully, type SegmentFile, type SegmentFiles, writeFully } from '../segment/segment-files.ts';
import { isBlockKind } from './healthy-entry.ts';
import type { OutgoingBlock } from './node.ts';
import { segmentPath } from './node-directory.ts';
import type { NodeJournal } from './node-journal.ts';
import type { UnsealedSegment } from './recover-unsealed.ts';

export interface SealContext {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly journal: NodeJournal;
  readonly clock: Clock;
  /** Stores blocks in a new segment, unless they are there and healthy. Resolves when they are durable. */
  readonly store: (blocks: readonly OutgoingBlock[]) => Promise<unknown>;
  readonly report: (line: string) => void;
}

/**
 * Ends the life of a segment that a crash left open, in an order in which another crash loses nothing: the torn tail
 * is copied to quarantine, what is whole in it is stored elsewhere, then the tail gives way to the footer.
 * Closes the file. @throws the disk's error; the segment then stays as it was.
 */
export async function sealUnsealed(context: SealContext, unsealed: UnsealedSegment): Promise<void> {
  const { files, directory, journal, report } = context;
  const { superblock, file, footed, end } = unsealed;
  const { segment } = superblock;
  try {
    if (footed !== undefined) {
      await journal.record({ kind: 'seal', segment, ...footed });
      return;
    }
    if (end.tailSize > 0) await moveTail(context, unsealed);
    if (unsealed.entries.length === 0) {
      await journal.record({ kind: 'drop', segment });
      await files.unlink(segmentPath(directory, segment));
      return;
    }
    const sealed = await sealSegment({ file, superblock, entries: builderOf(unsealed), at: end.at, root: end.runningHash });
    const { fileSize, recordBytes, count, root } = sealed;
    await journal.record({ kind: 'seal', segment, fileSize, recordBytes, count, root });
    report(`Segment ${segment} was left open and is sealed now with ${count} records.`);
  } finally {
    await file.close();
  }
}

async function moveTail(context: SealContext, unsealed: UnsealedSegment): Promise<void> {
  const { segment } = unsealed.superblock;
  const name = await quarantine(context, unsealed);
  const blocks = await readBlocks(unsealed);
  if (blocks.length > 0) await context.store(blocks);
  context.report(
    `Segment ${segment} ended in ${unsealed.end.tailSize} bytes that were never acknowledged; they are in ${nodePaths.quarantine}/${name}` +
      ` and ${blocks.length} whole records of them were stored again.`,
  );
}

async function quarantine(context: SealContext, { file, end, superblock }: UnsealedSegment): Promise<string> {
  const { files, directory, clock } = context;
  const folder = join(directory, nodePaths.quarantine);
  const name = `${segmentFileName(superblock.segment)}.${end.at}.${clock.now()}.tail`;
  await createFile(files, join(folder, name), (copy) => copyBytes(file, copy, { at: end.at, size: end.tailSize }));
  return name;
}

const COPY_SIZE = 1024 * 1024;

async function copyBytes(from: SegmentFile, to: SegmentFile, range: { at: number; size: number }): Promise<void> {
  const piece = new Uint8Array(Math.min(COPY_SIZE, range.size));
  for (let done = 0; done < range.size; done += piece.byteLength) {
    const got = await readFully(from, piece.subarray(0, Math.min(piece.byteLength, range.size - done)), range.at + done);
    await writeFully(to, piece.subarray(0, got), done);
  }
}

/** At most one batch, since only the last one can be torn. */
async function readBlocks({ file, end }: UnsealedSegment): Promise<OutgoingBlock[]> {
  const blocks: OutgoingBlock[] = [];
  for (const { offset, header } of end.salvage) {
    if (!isBlockKind(header.kind)) continue;
    const bytes = new Uint8Array(header.storedSize);
    await readFully(file, bytes, offset + RECORD_HEADER.size);
    blocks.push({ kind: header.kind, id: header.id, bytes });
  }
  return blocks;
}

function builderOf({ entries }: UnsealedSegment): FooterBuilder {
  const builder = new FooterBuilder();
  for (const entry of entries) builder.add(entry);
  return builder;
}
