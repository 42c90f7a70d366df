import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { type NodeId, newId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { makeFolder, syncFolder } from '../segment/durable-steps.ts';
import { nodePaths, parseSegmentFileName, segmentFileName } from '../segment/format.ts';
import { type NodeIdentity, readNodeIdentity, writeNodeIdentity } from '../segment/node-identity.ts';
import type { SegmentFile, SegmentFiles } from '../segment/segment-files.ts';
import { openIfThere } from './open-if-there.ts';

export interface DirectoryOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly segmentSize: number;
  readonly clock: Clock;
}

/** Makes the folders where they are missing, durably. The lock is taken between this and `openIdentity`. */
export async function makeFolders(files: SegmentFiles, directory: string): Promise<void> {
  await makeFolder(files, directory);
  for (const name of [nodePaths.segments, nodePaths.index, nodePaths.quarantine])
    await files.makeDirectory(join(directory, name));
  await syncFolder(files, directory);
}

/**
 * Reads who the node is, and makes the file NODE where there is none yet.
 * @throws QuasarError `storage_incompatible`, `corrupt`.
 */
export async function openIdentity(options: DirectoryOptions): Promise<NodeIdentity> {
  const { files, directory } = options;
  const identity = await readNodeIdentity(files, directory);
  if (identity !== undefined) {
    checkSettings(identity, options.segmentSize);
    return identity;
  }
  if ((await listSegmentFiles(files, directory)).length > 0) throw lostIdentity('segments');
  if (await isFilled(await openIfThere(files, join(directory, nodePaths.manifest)))) throw lostIdentity('a MANIFEST');
  return createIdentity(options);
}

/** Only the folder of a node that already exists. @throws QuasarError `storage_incompatible` when it is none. */
export async function readNodeDirectory(files: SegmentFiles, directory: string): Promise<NodeIdentity> {
  const identity = await readNodeIdentity(files, directory);
  if (identity !== undefined) return identity;
  throw new QuasarError('storage_incompatible', { op: 'graviton.open', message: `There is no storage node in ${directory}.` });
}

export function segmentPath(directory: string, segment: number): string {
  return join(directory, nodePaths.segments, segmentFileName(segment));
}

/** Ids of the segment files that lie in `seg/`, ascending, whether MANIFEST knows them or not. */
export async function listSegmentFiles(files: SegmentFiles, directory: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await files.list(join(directory, nodePaths.segments))) {
    const segment = parseSegmentFileName(name);
    if (segment !== undefined) found.push(segment);
  }
  return found.sort((left, right) => left - right);
}

/** A node that was never used has no MANIFEST, or one without entries. */
async function isFilled(manifest: SegmentFile | undefined): Promise<boolean> {
  if (manifest === undefined) return false;
  try {
    return (await manifest.size()) > 0;
  } finally {
    await manifest.close();
  }
}

function lostIdentity(what: string): QuasarError {
  return new QuasarError('storage_incompatible', {
    op: 'graviton.open',
    message: `The storage directory holds ${what} but no file NODE. Put NODE back from a backup, or move the rest away.`,
  });
}

async function createIdentity({ files, directory, segmentSize, clock }: DirectoryOptions): Promise<NodeIdentity> {
  const nodeId = newId<NodeId>(clock);
  const identity = { nodeId, clusterId: nodeId, createdMs: clock.now(), segmentSize, blockSizeMax: limits.blockSizeMax };
  await writeNodeIdentity(files, directory, identity);
  return identity;
}

function checkSettings(identity: NodeIdentity, segmentSize: number): void {
  refuseUnlessEqual('segment size', identity.segmentSize, segmentSize);
  refuseUnlessEqual('largest block', identity.blockSizeMax, limits.blockSizeMax);
}

function refuseUnlessEqual(setting: string, stored: number, wanted: number): void {
  if (stored === wanted) return;
  throw new QuasarError('storage_incompatible', {
    op: 'graviton.open',
    message: `The storage directory was made with a ${setting} of ${stored} bytes, this start wants ${wanted}.`,
    details: { setting, stored, wanted },
  });
}
