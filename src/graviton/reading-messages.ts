/** What `BatchedReads` and its thread tell each other. */
export interface ReadingRequest {
  /** Shared memories that these and later reads name by their number, counted from 0 in the order they were told. */
  readonly memories: readonly SharedArrayBuffer[];
  /** `READ_FIELDS` numbers a read. */
  readonly reads: Float64Array;
}

/** Of the oldest reads that have none yet, in the order they were asked for. */
export interface ReadingAnswer {
  /**
   * BLAKE3-256 in hex: of a part, its stretches; of a record, the payload and then, when they were wished for, its
   * stretches. Undefined when the read failed, was short, or found no such record at the place.
   */
  readonly digests: readonly (readonly string[] | undefined)[];
  /** How long they took together. */
  readonly ms: number;
  /** How many bytes the disk read meanwhile, what was read ahead with them; undefined where the system does not tell. */
  readonly diskBytes: number | undefined;
}

/**
 * A read: the file's descriptor, the place in it, the memory's number, the place in that, and the size. Of a record, which
 * is read whole, the place is that of its header, the size that of its payload; and its segment's mark is told.
 */
export type ReadNumbers = readonly [
  file: number,
  position: number,
  memory: number,
  offset: number,
  size: number,
  what: number,
  segment: number,
  saltBits: number,
];
export const READ_FIELDS = 8;

/** `what` of a read. */
export const READ_PART = 0;
export const READ_RECORD = 1;
export const READ_RECORD_AND_STRETCHES = 2;
