import { join } from 'node:path';
import type { Closer } from '../core/closer.ts';
import { limits } from '../core/limits.ts';
import { nodePaths, PAGE_SIZE } from '../segment/format.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import { diskFiles, type SegmentFiles } from '../segment/segment-files.ts';
import { BlockIndex } from './block-index.ts';
import { takesDirectIo } from './direct-io.ts';
import { DiskSpace, measureFileSystem } from './disk-space.ts';
import { openIndex } from './index-opening.ts';
import { makeFolders, openIdentity } from './node-directory.ts';
import { type JournalOptions, NodeJournal } from './node-journal.ts';
import { NodeLock } from './node-lock.ts';
import type { LocalNodeOptions } from './node-options.ts';
import { meaningOf, readMarks } from './read-only-mark.ts';
import { SegmentFileCache } from './segment-file-cache.ts';
import { checkOwners, type MisplacedFile } from './segment-owners.ts';
import { StructureFaults } from './structure-faults.ts';

/** What a node stands on before it looks at its segments. */
export interface NodeParts {
  readonly files: SegmentFiles;
  readonly identity: NodeIdentity;
  readonly journal: NodeJournal;
  readonly index: BlockIndex;
  readonly segmentFiles: SegmentFileCache;
  readonly space: DiskSpace;
  readonly directIo: boolean;
  readonly structure: StructureFaults;
  /** As the start found them. */
  readonly misplaced: readonly MisplacedFile[];
  /** Segments below this need not be indexed again. */
  readonly completeBelow: number;
}

export interface PartsHooks {
  /** Asked at each flush of the index. */
  readonly completeBelow: () => number;
  readonly onIndexFault: (error: unknown) => void;
  readonly onJournalFailure: (cause: unknown) => void;
  readonly report: (line: string) => void;
}

/** Takes the lock, then everything that needs it. Each acquisition leaves its closer, also when a later one fails. */
export async function openNodeParts(options: LocalNodeOptions, hooks: PartsHooks, closer: Closer): Promise<NodeParts> {
  const { directory, clock, files = diskFiles, segmentSize = limits.segmentSize } = options;
  await makeFolders(files, directory);
  const lock = await NodeLock.acquire(join(directory, nodePaths.lock));
  closer.push('node lock', () => lock.release());
  const identity = await openIdentity({ files, directory, segmentSize, clock });
  const journal = await openJournal({ files, directory, clock, onFailure: hooks.onJournalFailure });
  closer.push('node journal', () => journal.close());
  if (journal.cut !== undefined) hooks.report(`MANIFEST ended in bytes that are no entry (${journal.cut}); they were cut off.`);
  const structure = new StructureFaults();
  const misplaced = await checkOwners({ files, directory, identity, ledger: journal.ledger, structure, report: hooks.report });
  const segmentFiles = new SegmentFileCache({ files, directory, countMax: limits.openSegmentFilesMax });
  closer.push('segment files', () => segmentFiles.close());
  const opened = await openIndex({
    ...options,
    ledger: journal.ledger,
    nodeId: identity.nodeId,
    segmentFiles,
    report: hooks.report,
  });
  const { store, incarnation, completeBelow } = opened;
  const { nodeId } = identity;
  const index = new BlockIndex({ store, nodeId, incarnation, completeBelow: hooks.completeBelow, onFault: hooks.onIndexFault });
  closer.push('block index', () => index.close());
  // The look writes a page, and nothing is written to a disk that failed.
  const mayWrite = journal.ledger.nodeSuspect === undefined && !journal.frozen;
  const directIo = options.directIo !== false && mayWrite && (await takesDirectIo(files, directory, pageOf(options.slab)));
  return {
    files,
    identity,
    journal,
    index,
    segmentFiles,
    space: spaceOf(options),
    directIo,
    structure,
    misplaced,
    completeBelow,
  };
}

/** Marks of failures that MANIFEST could not take count as if it had. */
async function openJournal(options: JournalOptions): Promise<NodeJournal> {
  const marks = await readMarks(options.files, options.directory);
  const journal = await NodeJournal.open({ ...options, frozen: marks.length > 0 });
  for (const mark of meaningOf(marks, journal.ledger)) journal.ledger.apply({ kind: 'suspect', ...mark }, options.clock.now());
  return journal;
}

function pageOf(slab: LocalNodeOptions['slab']): Uint8Array {
  return slab.bytes.subarray(slab.extraAt, slab.extraAt + PAGE_SIZE);
}

function spaceOf({ clock, freeSpaceFloor, directory, measureSpace }: LocalNodeOptions): DiskSpace {
  const floor = freeSpaceFloor ?? { ratio: limits.freeSpaceFloorRatio, bytes: limits.freeSpaceFloorBytes };
  return new DiskSpace({ clock, floor, measure: measureSpace ?? (() => measureFileSystem(directory)) });
}
