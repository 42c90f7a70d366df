import type { RowTally } from './recorder.ts';
import type { OwnLoad } from './self-watch.ts';

/** What a worker measured, as it is sent to the command. */
export interface WorkerResult {
  readonly rows: Readonly<Record<string, RowTally>>;
  /** Length of the measured time. */
  readonly windowMs: number;
  /** Bytes of bodies sent, and all bytes received, within it. */
  readonly sent: number;
  readonly received: number;
  /** Between due and sent; compressed base64, of microseconds. */
  readonly wait: string;
  readonly queueMax: number;
  readonly lateCount: number;
  /** Measured requests that were due. */
  readonly due: number;
  /** Of these, under way or waiting when the run ended. */
  readonly unfinished: number;
  readonly cut: number;
  readonly resumed: number;
  readonly verified: number;
  /** Of the first few faults, what the server said. */
  readonly explanations: readonly string[];
  readonly own: OwnLoad;
}
