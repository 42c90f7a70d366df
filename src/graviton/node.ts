import type { BlockId } from '../core/digest.ts';
import type { NodeId } from '../core/ids.ts';

/** What a stored record is for. All kinds are addressed by the BLAKE3 of their bytes and read the same way. */
export type BlockKind = 'data' | 'manifest' | 'piece';

export interface OutgoingBlock {
  readonly kind: BlockKind;
  readonly id: BlockId;
  /** Borrowed until `putBlocks` settles. At most `blockSizeMax` bytes, at least one. */
  readonly bytes: Uint8Array;
}

export type PutOutcome = 'written' | 'present';

export interface NodeHealth {
  readonly writable: boolean;
  /** Why it takes no writes, in words an operator acts on. */
  readonly readOnlyReason: string | undefined;
  /** Why the last write was refused, for some seconds, in words; the next one is tried all the same. */
  readonly trouble: string | undefined;
  /** True when new uploads must be refused with `storage_full`; reads and commits go on. */
  readonly full: boolean;
  /** Undefined where the file system does not say how large it is. */
  readonly freeBytes: number | undefined;
  readonly floorBytes: number;
  readonly directIo: boolean;
  /** Blocks whose record is marked damaged and that no healthy copy has replaced. */
  readonly damagedRecords: number;
  /** Segments whose superblock or footer is damaged; their records are read all the same. */
  readonly damagedStructures: number;
  /** Which segments cannot be read, in words; undefined when all can. Blocks in them are unavailable. */
  readonly missingSegments: string | undefined;
}

/**
 * One Graviton node as the rest of the program sees it. Local and remote nodes, and every decorator around them,
 * implement this and pass test/contract/node.contract.ts.
 */
export interface Node {
  readonly id: NodeId;

  /**
   * Stores blocks durably. Resolves when every block has been fdatasync'ed now, or is `present`: durable here before, and
   * its record has just been read and holds the same bytes. Outcomes come in the order of `blocks`. A block given twice, or by two callers at once, is written once.
   * The whole call joins the log in order: a later block of it is never durable without the earlier ones.
   * Borrows the bytes until it settles. Does not re-hash them: the caller has just computed their ids.
   * @throws QuasarError `node_read_only`, `storage_full`, `node_closed`; none of the blocks counts as stored then.
   */
  putBlocks(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]>;

  /**
   * Reads one block into `target` and returns its size in bytes. Not verified here: whoever lets the bytes into
   * memory hashes them (`block-cache.ts`) and reads a mismatch again with `readBlockFromDisk`.
   * Returns undefined when no record of this node holds it; that is an answer, not a failure.
   * @throws QuasarError `corrupt` when its record was read and is damaged; `block_unavailable` when it could not be read,
   * which says nothing about the record; `node_closed`.
   */
  readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined>;

  /**
   * As `readBlock`, and tells the digests of what came where another thread than the caller's read it, which has time to
   * hash it; else the caller hashes. Those of the stretches only when `stretches` asks for them.
   */
  readHashed(id: BlockId, target: Uint8Array, options: { readonly stretches: boolean }): Promise<BlockRead | undefined>;

  /**
   * Reads the block again past every cache of the operating system and verifies it: this is what condemns a record, or
   * clears it. A record whose own bytes are wrong is marked damaged, durably: it is no longer read, nor taken for present;
   * storing the block again heals it. A mark whose record turns out whole is withdrawn, a wrong index entry corrected.
   * @throws QuasarError as `readBlock`.
   */
  readBlockFromDisk(id: BlockId, target: Uint8Array): Promise<number | undefined>;

  /**
   * Reads a block's bytes from `offset` on into `target`, as many as it holds, and returns how many there were. Nothing
   * is checked here, not even the record's header: this is for callers who know the digest of just these bytes, and who
   * read the whole block when it does not fit. Returns undefined when this node never had the block.
   * @throws QuasarError as `readBlock`.
   */
  readPart(id: BlockId, offset: number, target: Uint8Array): Promise<PartRead | undefined>;

  /**
   * True when the block is marked damaged, no copy has replaced it, and a look at its record within the last minute said
   * so. Looks into a set, unless the block is marked.
   */
  isDamaged(id: BlockId): Promise<boolean>;

  /** Size in bytes of a durable, healthy block; undefined otherwise. */
  statBlock(id: BlockId): number | undefined;

  /** Ids of all manifest records without a tombstone, root and other pages alike, in no order. */
  listManifests(): AsyncIterable<BlockId>;

  /** Costs the same however much is stored or damaged. */
  health(): NodeHealth;

  /** Idempotent. Waits for writes in flight, seals the active segment, releases the lock. */
  close(): Promise<void>;
}

export interface BlockRead {
  /** Bytes that came. */
  readonly size: number;
  /** BLAKE3-256 of what came. */
  readonly digest?: BlockId;
  /** The same in hex of each piece of `limits.stretchSize` bytes. */
  readonly stretches?: readonly string[];
}

export interface PartRead {
  /** Bytes that came. */
  readonly size: number;
  /**
   * BLAKE3-256 in hex of what came, in pieces of `limits.stretchSize` bytes: where another thread than the caller's read
   * it, which has time to hash it. Else the caller hashes.
   */
  readonly digests?: readonly string[];
}
