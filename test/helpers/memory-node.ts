import { blockIdOf } from '../../src/core/blake3.ts';
import type { BlockId } from '../../src/core/digest.ts';
import { QuasarError } from '../../src/core/errors.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { hashStretches } from '../../src/graviton/hash-stretches.ts';
import type { BlockKind, BlockRead, Node, NodeHealth, OutgoingBlock, PartRead, PutOutcome } from '../../src/graviton/node.ts';

interface Stored {
  readonly bytes: Buffer;
  readonly kinds: Set<BlockKind>;
  damaged: boolean;
  writing: Promise<void> | undefined;
}

/** A node without a disk, for tests of what lies above it. It passes the node contract; the hooks make it fail or wait. */
export class MemoryNode implements Node {
  readonly id = '018f0000-0000-7000-8000-00000000000a' as NodeId;
  readonly blocks = new Map<BlockId, Stored>();
  /** Called for every put; what it throws fails the call, and none of its blocks is stored. */
  beforePut: (blocks: readonly OutgoingBlock[]) => Promise<void> = async () => {};
  /** Called for every read, also those past the caches. */
  beforeRead: (id: BlockId) => Promise<void> = async () => {};
  /** What the operating system's cache would give, where it differs from the disk. */
  readonly badPages = new Map<BlockId, Buffer>();
  /** Blocks that a look at the disk found damaged. */
  readonly reports: BlockId[] = [];
  full = false;
  missingSegments: string | undefined;
  trouble: string | undefined;
  writable = true;
  /** Whether it hashes what it reads whole, as a node with a thread for that. */
  hashes = false;
  reads = 0;
  partReads = 0;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  putBlocks(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]> {
    const storing = this.#put(blocks);
    this.#running.add(storing);
    const done = () => this.#running.delete(storing);
    storing.then(done, done);
    return storing;
  }

  async readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    return this.#read(id, target, this.badPages.get(id));
  }

  async readHashed(id: BlockId, target: Uint8Array, options: { readonly stretches: boolean }): Promise<BlockRead | undefined> {
    const size = await this.readBlock(id, target);
    if (size === undefined || !this.hashes) return size === undefined ? undefined : { size };
    const bytes = target.subarray(0, size);
    return { size, digest: blockIdOf(bytes), ...(options.stretches ? { stretches: hashStretches(bytes) } : {}) };
  }

  async readBlockFromDisk(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    const size = await this.#read(id, target, undefined);
    if (size === undefined || blockIdOf(target.subarray(0, size)) === id) return size;
    this.reports.push(id);
    const stored = this.blocks.get(id);
    if (stored !== undefined) stored.damaged = true;
    throw new QuasarError('corrupt', { op: 'graviton.read' });
  }

  /** Rots the stored bytes; whoever reads them past the caches finds out. */
  harm(id: BlockId): void {
    const bytes = this.blocks.get(id)?.bytes;
    if (bytes !== undefined) bytes[0] = (bytes[0] as number) ^ 1;
  }

  async readPart(id: BlockId, offset: number, target: Uint8Array): Promise<PartRead | undefined> {
    this.#assertOpen('graviton.read');
    this.partReads += 1;
    await this.beforeRead(id);
    const stored = this.blocks.get(id);
    if (stored === undefined || stored.writing !== undefined) return undefined;
    if (stored.damaged) throw new QuasarError('corrupt', { op: 'graviton.read' });
    const part = (this.badPages.get(id) ?? stored.bytes).subarray(offset, offset + target.byteLength);
    target.set(part);
    return { size: part.byteLength };
  }

  async isDamaged(id: BlockId): Promise<boolean> {
    this.#assertOpen('graviton.isDamaged');
    return this.blocks.get(id)?.damaged ?? false;
  }

  statBlock(id: BlockId): number | undefined {
    const stored = this.blocks.get(id);
    return stored === undefined || stored.damaged || stored.writing !== undefined ? undefined : stored.bytes.byteLength;
  }

  async *listManifests(): AsyncGenerator<BlockId> {
    for (const [id, { kinds }] of this.blocks) if (kinds.has('manifest')) yield id;
  }

  health(): NodeHealth {
    return {
      writable: this.writable && !this.#closed,
      readOnlyReason: this.writable && !this.#closed ? undefined : 'The test says so.',
      full: this.full,
      freeBytes: this.full ? 0 : 1e12,
      floorBytes: 1,
      directIo: false,
      trouble: this.trouble,
      damagedStructures: 0,
      damagedRecords: [...this.blocks.values()].filter(({ damaged }) => damaged).length,
      missingSegments: this.missingSegments,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  async #put(blocks: readonly OutgoingBlock[]): Promise<readonly PutOutcome[]> {
    this.#assertOpen('graviton.put');
    // Taken when the call is made: whoever changes borrowed bytes later is found out by the digests.
    const borrowed = blocks.map(({ bytes }) => bytes);
    const before = borrowed.map((bytes) => Buffer.from(bytes));
    const claimed = blocks.map((block, index) => this.#claim(block, before[index] as Buffer));
    let done: () => void = () => {};
    const writing = new Promise<void>((resolve) => {
      done = resolve;
    });
    for (const { stored, outcome } of claimed) if (outcome === 'written') stored.writing ??= writing;
    try {
      await this.beforePut(blocks);
      for (const [index, bytes] of borrowed.entries()) {
        if (!(before[index] as Buffer).equals(bytes)) throw new Error('borrowed bytes changed before the put settled');
      }
    } catch (error) {
      for (const { id, stored, outcome } of claimed) if (outcome === 'written' && !stored.damaged) this.blocks.delete(id);
      throw error;
    } finally {
      for (const { stored } of claimed) if (stored.writing === writing) stored.writing = undefined;
      done();
    }
    for (const { id, stored } of claimed) {
      await stored.writing;
      // Whoever wrote it failed: ours is not there either.
      if (this.blocks.get(id) !== stored) throw new QuasarError('storage_full', { op: 'graviton.put' });
    }
    return claimed.map(({ outcome }) => outcome);
  }

  #claim({ id, kind }: OutgoingBlock, bytes: Buffer): { id: BlockId; stored: Stored; outcome: PutOutcome } {
    const known = this.blocks.get(id);
    if (
      known !== undefined &&
      !known.damaged &&
      known.bytes.equals(bytes) &&
      (kind !== 'manifest' || known.kinds.has('manifest'))
    ) {
      return { id, stored: known, outcome: 'present' };
    }
    const stored: Stored = { bytes, kinds: new Set(known?.kinds).add(kind), damaged: false, writing: undefined };
    this.blocks.set(id, stored);
    return { id, stored, outcome: 'written' };
  }

  async #read(id: BlockId, target: Uint8Array, instead: Buffer | undefined): Promise<number | undefined> {
    this.#assertOpen('graviton.read');
    this.reads += 1;
    await this.beforeRead(id);
    const stored = this.blocks.get(id);
    if (stored === undefined || stored.writing !== undefined) return undefined;
    if (stored.damaged) throw new QuasarError('corrupt', { op: 'graviton.read' });
    const bytes = instead ?? stored.bytes;
    target.set(bytes);
    return bytes.byteLength;
  }

  #assertOpen(op: string): void {
    if (this.#closed) throw new QuasarError('node_closed', { op });
  }
}
