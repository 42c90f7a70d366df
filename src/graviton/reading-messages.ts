/** What `BatchedReads` and its thread tell each other. */
export interface ReadingRequest {
  /** Shared memory that later reads name by its number, counted from 0; a thread is told of each once. */
  readonly memory: SharedArrayBuffer | undefined;
  /** `READ_FIELDS` numbers a read. */
  readonly reads: Float64Array;
}

export interface ReadingAnswer {
  /** In the order of the request: the digests of the stretches that came; undefined when a read failed or was short. */
  readonly digests: readonly (readonly string[] | undefined)[];
  /** How long the batch took. */
  readonly ms: number;
}

/** A read: the file's descriptor, the place in it, the memory's number, the place in that, and the size. */
export type ReadNumbers = readonly [file: number, position: number, memory: number, offset: number, size: number];
export const READ_FIELDS = 5;
