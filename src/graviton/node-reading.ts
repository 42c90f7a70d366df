import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { BlockReader } from './block-reader.ts';
import { DamageMarks } from './damage-marks.ts';
import type { MissingSegments } from './missing-segments.ts';
import type { NodeParts } from './node-parts.ts';
import { RecordFinder } from './record-finder.ts';

export interface NodeReadingOptions {
  readonly parts: NodeParts;
  readonly missing: MissingSegments;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** What reads a node's blocks, and judges the records they lie in. */
export interface NodeReading {
  readonly marks: DamageMarks;
  readonly finder: RecordFinder;
  readonly reader: BlockReader;
}

export function openReading({ parts, ...rest }: NodeReadingOptions): NodeReading {
  const marks = new DamageMarks({ ...parts, ...rest });
  const finder = new RecordFinder({ ...parts, ...rest, marks });
  return { marks, finder, reader: new BlockReader({ ...parts, ...rest, marks, finder }) };
}
