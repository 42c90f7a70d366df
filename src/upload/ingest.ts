import type { CutBlock, Hasher, HashStream } from '../chunker/hasher.ts';
import type { BlockList } from '../core/block-list.ts';
import { QuasarError, toQuasarError } from '../core/errors.ts';
import type { Slab, UploadAccount } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import type { FilledSlot, IncomingBody } from './incoming-body.ts';
import { JobsUnderWay } from './jobs-under-way.ts';
import type { StoredBlock } from './session.ts';

export interface IngestDeps {
  readonly slab: Slab;
  readonly hasher: Hasher;
  readonly node: Node;
}

export interface IngestUpload {
  readonly account: UploadAccount;
  /** How many slots the account may hold now. */
  readonly mayHold: () => number;
  readonly stream: HashStream;
  /** The durable blocks so far; ingest appends in order, each once it is durable. */
  readonly blocks: BlockList;
  /** False while another stream still re-hashes the prefix: blocks then enter the whole-blob hashes later, from the store. */
  readonly whole: boolean;
  /** Asked when the body ends: does the blob end here too? If not, the bytes after the last cut become a piece. */
  readonly endsAfter: (received: number) => boolean;
  readonly onDurable: () => void;
}

/**
 * The way of the bytes of one request: slot → cut and hash on the upload's lane → node → durable prefix → slot free.
 * All of it overlaps, bounded by the slots the upload holds; only the durable prefix moves in order.
 *
 * Returns the piece that is left when the blob does not end with the request. When the body breaks off, what arrived
 * is made durable all the same, and then its fault is thrown.
 */
export async function ingest(body: IncomingBody, upload: IngestUpload, deps: IngestDeps): Promise<StoredBlock | undefined> {
  const prefix = new DurablePrefixLine(upload, (error) => body.fail(toQuasarError(error, 'upload.store')));
  let piece: Promise<StoredBlock | undefined> = Promise.resolve(undefined);

  const jobs = new JobsUnderWay();

  const take = async (filled: readonly FilledSlot[], final: boolean): Promise<void> => {
    const ranges = filled.map(({ slot, size }) => ({ at: slot.at, size }));
    const cutting = upload.stream.cut({ ranges, final, whole: upload.whole });
    jobs.add(cutting);
    const storing = storeBlocks(cutting, deps);
    prefix.push(storing);
    const latest = filled.at(-1) as FilledSlot;
    if (latest.last) {
      piece = storing.then((blocks) => storePiece(filled, blocks, deps));
      returnSlots(filled, piece, upload, body);
    } else if (upload.stream.carries) {
      await carry(latest, cutting, storing, { body, upload, deps });
    } else {
      returnSlots(filled, storing, upload, body);
    }
  };

  try {
    for (;;) {
      await jobs.turn();
      const filled = await body.nextFew(upload.stream.carries ? 1 : slotsAJob(upload.mayHold()));
      if (filled.length === 0) break;
      if (isReserveTouched(deps.node)) body.fail(new QuasarError('storage_full', { op: 'upload.store' }));
      await take(filled, filled.at(-1)?.last === true && upload.endsAfter(body.received));
    }
  } catch (fault) {
    const rest = body.takeRest();
    if (rest !== undefined) await take([rest], false);
    await prefix.settled();
    throw new InterruptedBody(fault, await piece);
  }
  await prefix.settled();
  return await piece;
}

/**
 * The floor keeps new uploads out; one that is under way may be larger than all that lies below it. It is stopped
 * halfway, because what is left there is the database's, to say nothing of finalizing.
 */
function isReserveTouched(node: Node): boolean {
  const { freeBytes, floorBytes } = node.health();
  return freeBytes !== undefined && freeBytes < floorBytes / 2;
}

/** The body broke off; what came before is durable, `piece` included. */
export class InterruptedBody extends Error {
  override readonly name = 'InterruptedBody';
  readonly piece: StoredBlock | undefined;

  constructor(cause: unknown, piece: StoredBlock | undefined) {
    super('the body broke off', { cause });
    this.piece = piece;
  }
}

async function storeBlocks(cutting: Promise<readonly CutBlock[]>, deps: IngestDeps): Promise<readonly CutBlock[]> {
  const blocks = await cutting;
  if (blocks.length > 0) {
    await deps.node.putBlocks(
      blocks.map(({ id, at, size }) => ({ kind: 'data', id, bytes: deps.slab.bytes.subarray(at, at + size) })),
    );
  }
  return blocks;
}

/** What is uncut lies at the end of the last slot. */
async function storePiece(
  filled: readonly FilledSlot[],
  blocks: readonly CutBlock[],
  deps: IngestDeps,
): Promise<StoredBlock | undefined> {
  const size = sizeOf(filled) - sizeOf(blocks);
  if (size === 0) return undefined;
  const latest = filled.at(-1) as FilledSlot;
  const at = latest.slot.at + latest.size - size;
  const id = await deps.hasher.hashBlock(at, size);
  await deps.node.putBlocks([{ kind: 'piece', id, bytes: deps.slab.bytes.subarray(at, at + size) }]);
  return { id, size };
}

/** Uncut bytes go in front of the next slot: into a fresh one, or, when there is none, to the front of their own. */
async function carry(
  filled: FilledSlot,
  cutting: Promise<readonly CutBlock[]>,
  storing: Promise<unknown>,
  { body, upload, deps }: { body: IncomingBody; upload: IngestUpload; deps: IngestDeps },
): Promise<void> {
  let stays = false;
  try {
    const cut = sizeOf(await cutting);
    const size = filled.size - cut;
    const next = size === 0 ? undefined : upload.account.tryAcquire(upload.mayHold());
    if (size > 0 && next === undefined) {
      await storing;
      stays = true;
    }
    const slot = next ?? filled.slot;
    if (size > 0) deps.slab.move(slot.at, filled.slot.at + cut, size);
    body.release(size === 0 ? undefined : { slot, size });
  } finally {
    if (!stays) returnSlots([filled], storing, upload, body);
  }
}

function sizeOf(parts: readonly { readonly size: number }[]): number {
  let size = 0;
  for (const part of parts) size += part.size;
  return size;
}

function returnSlots(filled: readonly FilledSlot[], after: Promise<unknown>, upload: IngestUpload, body: IncomingBody): void {
  const giveBack = () => {
    for (const { slot } of filled) upload.account.giveBack(slot);
    body.slotAvailable();
  };
  after.then(giveBack, giveBack);
}

/**
 * A quarter of what the upload may hold is filled, one waits, one is hashed and one written. More than three slots make a
 * job of over 3 ms, which readers' small jobs on the same lane would wait for.
 */
function slotsAJob(mayHold: number): number {
  return Math.min(SLOTS_A_JOB_MAX, Math.max(1, Math.floor(mayHold / 4)));
}

const SLOTS_A_JOB_MAX = 3;

/** Blocks become durable in any order; the prefix grows in the order they were cut, and stops for good at the first failure. */
class DurablePrefixLine {
  readonly #upload: IngestUpload;
  readonly #onFailure: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();

  constructor(upload: IngestUpload, onFailure: (error: unknown) => void) {
    this.#upload = upload;
    this.#onFailure = onFailure;
  }

  push(storing: Promise<readonly CutBlock[]>): void {
    storing.catch(this.#onFailure);
    this.#tail = this.#tail.then(async () => {
      const blocks = await storing;
      for (const { id, size } of blocks) this.#upload.blocks.push(id, size);
      if (blocks.length > 0) this.#upload.onDurable();
    });
    this.#tail.catch(this.#onFailure);
  }

  /** @throws the first failure. */
  settled(): Promise<void> {
    return this.#tail;
  }
}
