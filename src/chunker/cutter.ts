/** Decides where blocks end. Pure: a cut depends only on the bytes since the last one, and on `final`. */
export interface Cutter {
  /** True when a full slot may keep uncut bytes. */
  readonly carries: boolean;

  /**
   * Size of the next block, whose first byte is `bytes[start]`; the bytes known so far end before `end`.
   * 0 when more bytes are needed, never when `final` says that none follow and there is one left.
   */
  cut(bytes: Uint8Array, start: number, end: number, final: boolean): number;
}
