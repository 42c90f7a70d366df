import { QuasarError } from '../core/errors.ts';
import { isDiskError } from '../segment/disk-fault.ts';
import { Fault } from '../segment/fault.ts';
import type { NodeIdentity } from '../segment/node-identity.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import { readSuperblock } from '../segment/segment-reader.ts';
import type { Superblock } from '../segment/superblock.ts';
import { foreignness } from './foreign-file.ts';
import { listSegmentFiles, segmentPath } from './node-directory.ts';
import type { SegmentLedger } from './segment-ledger.ts';
import type { StructureFaults } from './structure-faults.ts';

export interface OwnersOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly identity: NodeIdentity;
  readonly ledger: SegmentLedger;
  readonly structure: StructureFaults;
  readonly report: (line: string) => void;
}

/**
 * Reads every superblock before anything is done with the segments: a NODE that came from another store would have them
 * moved away as foreign, and records written under two names. Tells of superblocks that are damaged, and returns the segments
 * whose files hold another segment. What cannot be read at all says nothing about its owner.
 * @throws QuasarError `storage_incompatible` when NODE is not the one these segments were written under.
 */
export async function checkOwners(options: OwnersOptions): Promise<readonly MisplacedFile[]> {
  const { identity, ledger, structure, report } = options;
  const found = await readSuperblocks(options);
  const owned = found.flatMap(({ segment, superblock }) => (superblock instanceof Fault ? [] : [{ segment, superblock }]));
  const foreign = owned.filter(({ superblock }) => superblock.nodeId !== identity.nodeId);
  const named = foreign.find(({ segment, superblock }) => ledger.find(segment)?.salt === superblock.salt);
  // One file of another store among our own is a stray; where all are, NODE is.
  const witness = named ?? (foreign.length === owned.length ? foreign[0] : undefined);
  if (witness !== undefined) throw foreignNode(identity, witness);
  for (const { segment, superblock } of found) {
    // Recovery tells of those that were left open, and of files that MANIFEST does not name.
    if (!(superblock instanceof Fault) || ledger.find(segment)?.sealed === undefined) continue;
    structure.add(segment);
    report(`The superblock of segment ${segment} is damaged: ${superblock.meaning}. Its records are read by what MANIFEST says.`);
  }
  return owned.flatMap(({ segment, superblock }) => {
    const known = ledger.find(segment);
    const reason = known === undefined ? undefined : foreignness(superblock, known);
    return reason === undefined ? [] : [{ segment, reason }];
  });
}

/** A segment whose file holds another one. */
export interface MisplacedFile {
  readonly segment: number;
  /** What it holds, in words. */
  readonly reason: string;
}

interface FoundSuperblock {
  readonly segment: number;
  readonly superblock: Superblock | Fault;
}

async function readSuperblocks({ files, directory, ledger }: OwnersOptions): Promise<readonly FoundSuperblock[]> {
  const found: FoundSuperblock[] = [];
  const segments = (await listSegmentFiles(files, directory)).filter((segment) => !ledger.wasDropped(segment));
  for (let at = 0; at < segments.length; at += READS_AT_ONCE) {
    const some = segments.slice(at, at + READS_AT_ONCE).map((segment) => readOne(files, directory, segment));
    found.push(...(await Promise.all(some)).flat());
  }
  return found;
}

/** One page each. */
const READS_AT_ONCE = 16;

/** An array, so that none is none. */
async function readOne(files: SegmentFiles, directory: string, segment: number): Promise<FoundSuperblock[]> {
  try {
    const file = await files.open(segmentPath(directory, segment), { access: 'read', direct: false });
    try {
      return [{ segment, superblock: await readSuperblock(file) }];
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isDiskError(error)) throw error;
    return [];
  }
}

function foreignNode(
  { nodeId }: NodeIdentity,
  { segment, superblock }: { segment: number; superblock: Superblock },
): QuasarError {
  return new QuasarError('storage_incompatible', {
    op: 'graviton.open',
    message:
      `NODE says that this is node ${nodeId}, but segment ${segment} was written by node ${superblock.nodeId}: NODE, or seg/, ` +
      'comes from another store. Put back the one that belongs to the other, from a backup, and start again. No segment was touched.',
    details: { node: nodeId, segment, writtenBy: superblock.nodeId },
  });
}
