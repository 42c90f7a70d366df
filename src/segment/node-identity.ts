import type { NodeId } from '../core/ids.ts';
import type { Fault } from './fault.ts';
import type { SegmentFiles } from './segment-files.ts';

/** What the file NODE says. Store settings are refused when they differ at start. */
export interface NodeIdentity {
  readonly nodeId: NodeId;
  /** A UUID; of a node that stands alone, its own. */
  readonly clusterId: string;
  readonly createdMs: number;
  readonly segmentSize: number;
  readonly blockSizeMax: number;
}

export declare function encodeNodeIdentity(identity: NodeIdentity): Buffer;
/** Either copy is enough; `repaired` is true when one of the two is bad. */
export declare function decodeNodeIdentity(bytes: Uint8Array): { identity: NodeIdentity; repair: boolean } | Fault;
/** Reads `directory`/NODE; undefined when there is none; rewrites it when one copy is bad. @throws QuasarError `corrupt`. */
export declare function readNodeIdentity(files: SegmentFiles, directory: string): Promise<NodeIdentity | undefined>;
/** Writes aside, syncs, renames, syncs the directory. */
export declare function writeNodeIdentity(files: SegmentFiles, directory: string, identity: NodeIdentity): Promise<void>;
