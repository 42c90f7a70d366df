import type { Cutter } from './cutter.ts';
import { GEAR } from './gear-table.ts';

/**
 * `fastcdc-v1`: content-defined blocks, so that an insertion changes the blocks around it and no others.
 *
 * A block ends after its n-th byte, n being the smallest of at least 64 KiB for which the gear hash of bytes n-32 to n-1
 * has its top 20 bits zero (n below 256 KiB) or its top 16 bits zero (from there on); at 1,024 KiB it ends anyway. The
 * two masks draw sizes towards 256 KiB (W. Xia et al., "FastCDC", USENIX ATC 2016, normalised chunking, level 2). A
 * gear hash is `h = 2h + GEAR[byte]` modulo 2^32: each byte has left it 32 bytes later, so it needs no state between calls.
 */
export const fastcdcCutter: Cutter = {
  carries: true,
  cut(bytes, start, end, final) {
    const limit = Math.min(end, start + BLOCK_SIZE_LARGEST);
    const normal = Math.min(limit, start + BLOCK_SIZE_NORMAL);
    let at = start + BLOCK_SIZE_SMALLEST;
    if (at <= limit) {
      let hash = 0;
      for (let warm = at - WINDOW; warm < at - 1; warm++) hash = ((hash << 1) + (GEAR[bytes[warm] as number] as number)) | 0;
      for (at -= 1; at < normal - 1; at++) {
        hash = ((hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
        if ((hash & MASK_SMALL) === 0) return at + 1 - start;
      }
      for (; at < limit; at++) {
        hash = ((hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
        if ((hash & MASK_LARGE) === 0) return at + 1 - start;
      }
    }
    return final || limit - start === BLOCK_SIZE_LARGEST ? limit - start : 0;
  },
};

const BLOCK_SIZE_SMALLEST = 64 * 1024;
const BLOCK_SIZE_NORMAL = 256 * 1024;
const BLOCK_SIZE_LARGEST = 1024 * 1024;
/** Bytes that a 32-bit gear hash remembers. */
const WINDOW = 32;
/** Two bits more, and two less, than the 18 whose chance is one in 256 Ki. */
const MASK_SMALL = 0xfffff000 | 0;
const MASK_LARGE = 0xffff0000 | 0;
