import type { Durability, Role } from './results.ts';
import type { Stage } from './stage.ts';

/** What scenarios know of a program they measure, Quasar and its peers alike. */

/**
 * HTTP requests for the native clients. A path with %d stands for as many as are wanted, numbered from 0; a list is used
 * in its order, once each by `send-bytes`, in turn by `fetch-bytes`.
 */
export interface Requests {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly paths: string | readonly string[];
  /** Beside Host, Content-Type and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A started program that takes files over HTTP and serves them, with a store of its own. */
export interface FileStore {
  /** As it stands in tables: `MinIO, one drive`. */
  readonly name: string;
  readonly role: Role;
  /** What its answer to an upload promises. */
  readonly durability: Durability;
  readonly port: number;
  /** Of the server; CPU time and memory are those of it and its children. */
  readonly pid: number;
  /** From the command to the first answer, of the last start. */
  readonly startMs: number;
  /** Requests that store `count` new files of `size` bytes; every call names others. */
  writes(count: number, size: number): Promise<Requests>;
  /** Requests that read what the last `writes` stored, in its order where that is known. Call it when they have been answered. */
  reads(): Promise<Requests>;
  /** Bytes its store takes on the disk. */
  storeSize(): number;
  /** Starts again, with the store it has. */
  restart(): Promise<void>;
  /** Starts again with an empty store. */
  renew(): Promise<void>;
}

/** A program that may be on this machine, with the settings it is measured in. */
export interface PeerKind {
  /** For `--peers`: `minio`. */
  readonly name: string;
  /** Undefined when it is not here. */
  version(): Promise<string | undefined>;
  /** What to type to have it. */
  readonly howToInstall: string;
  /** One candidate each; the first is the headline. */
  readonly settings: readonly PeerSetting[];
}

export interface PeerSetting {
  readonly name: string;
  readonly durability: Durability;
  /** Whether reading differs from the settings before: a scenario that only reads measures it then too. */
  readonly readsDiffer: boolean;
  /** Whether it answers a Range with the range; one that does not has no place in scenarios of ranges. */
  readonly readsRanges: boolean;
  /** Started, with an empty store; the stage's closer stops it and removes the store. */
  open(stage: Stage): Promise<FileStore>;
}
