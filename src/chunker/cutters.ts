import type { Cutter } from './cutter.ts';
import { fastcdcCutter } from './fastcdc.ts';
import { fixedCutter } from './fixed.ts';
import type { ChunkerName } from './hasher.ts';

export function cutterOf(chunker: ChunkerName): Cutter {
  return CUTTERS[chunker];
}

const CUTTERS: Readonly<Record<ChunkerName, Cutter>> = { 'fixed-1m': fixedCutter, 'fastcdc-v1': fastcdcCutter };
