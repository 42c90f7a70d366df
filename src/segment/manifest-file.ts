import type { Clock } from '../core/clock.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { ManifestContent, ManifestEntry } from './segment-manifest.ts';

export declare class ManifestFile {
  /** Makes the file durable when there is none. A torn tail is copied to `quarantine` (a directory) and cut. @throws QuasarError `corrupt` when damaged in the middle. */
  static open(options: {
    files: SegmentFiles;
    directory: string;
    clock: Clock;
  }): Promise<{ manifest: ManifestFile; content: ManifestContent }>;
  /** Resolves when the entry is durable. Calls run in order. After a failure every append is refused. */
  append(entry: ManifestEntry): Promise<void>;
  close(): Promise<void>;
}
