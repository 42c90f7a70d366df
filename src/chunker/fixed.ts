import { limits } from '../core/limits.ts';
import type { Cutter } from './cutter.ts';

/** `fixed-1m`: every block has 1 MiB but the last. */
export const fixedCutter: Cutter = {
  carries: false,
  cut(_bytes, start, end, final) {
    const size = end - start;
    if (size >= limits.blockSizeMax) return limits.blockSizeMax;
    return final ? size : 0;
  },
};
