const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;

/** What HTTP servers and their connections are bound by; part of `limits`. */
export const httpLimits = {
  /** The largest chunk an HTTP adapter hands over at once, and the most it reads from a socket at once. */
  httpChunkMax: 512 * KiB,
  /** What is left of a body nobody reads is discarded up to this size; beyond it the connection is closed. */
  httpDiscardMax: 64 * KiB,
  /** Request line and headers together. */
  httpHeadMax: 16 * KiB,
  httpHeadersMax: 96,
  /** Names and values of the extensions of all chunks of one body. */
  httpChunkExtensionsMax: 16 * KiB,
  /**
   * What is read at once where a head is expected: room for it and a small body. Of each connection so much may wait in
   * memory behind a request that has no answer yet.
   */
  httpReadAheadMax: 64 * KiB,
  /** A connection without a request, or with half a head, is closed after this. */
  httpIdleMs: 10 * SECOND,
  /**
   * Whoever still sends a body that was refused gets the answer first: what comes is dropped for this long and this much,
   * as long as something comes. 256 MiB at 70 Mbit/s take the 30 s.
   */
  httpLingerMs: 30 * SECOND,
  httpLingerBytesMax: 256 * MiB,
  httpLingerSilenceMs: 5 * SECOND,
  httpConnectionsMax: 4096,
  /** With fewer than these a server is of no use. */
  httpConnectionsMin: 32,
  /** Below this the log warns, since nobody set it on purpose: it is what the limit of open files left. */
  httpConnectionsFew: 512,
  /** Descriptors connections never get: for segments, index, database, threads, logs. */
  descriptorsReserved: 256,
  /** Connections that are being told that there are too many. */
  httpRefusalsMax: 16,
  httpRefusalMs: SECOND,
} as const;
