import type { SegmentFile } from './segment-files.ts';
/** Describes any segment file; never throws for what the bytes are. */
export declare function inspectSegment(
  file: SegmentFile,
  options: { verifyPayloads: boolean; records: boolean },
): Promise<Inspection>;
export interface Inspection {
  readonly healthy: boolean;
  /** Lines for a terminal. */
  readonly lines: readonly string[];
  /** The same as data, for --json. */
  readonly report: Readonly<Record<string, unknown>>;
}
