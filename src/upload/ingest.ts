import type { CutBlock, Hasher, HashStream } from '../chunker/hasher.ts';
import type { BlockList } from '../core/block-list.ts';
import { QuasarError, toQuasarError } from '../core/errors.ts';
import type { Slab, Slot, UploadAccount } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import type { FilledSlot, IncomingBody } from './incoming-body.ts';
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

  const take = async (filled: FilledSlot, final: boolean): Promise<void> => {
    const cutting = upload.stream.cut({ at: filled.slot.at, size: filled.size, final, whole: upload.whole });
    const storing = storeBlocks(cutting, deps);
    prefix.push(storing);
    if (filled.last) {
      piece = storing.then((blocks) => storePiece(filled, blocks, deps));
      returnSlot(filled.slot, piece, upload, body);
    } else if (upload.stream.carries) {
      await carry(filled, cutting, storing, { body, upload, deps });
    } else {
      returnSlot(filled.slot, storing, upload, body);
    }
  };

  try {
    for (let filled = await body.next(); filled !== undefined; filled = await body.next()) {
      if (isReserveTouched(deps.node)) body.fail(new QuasarError('storage_full', { op: 'upload.store' }));
      await take(filled, filled.last && upload.endsAfter(body.received));
    }
  } catch (fault) {
    const rest = body.takeRest();
    if (rest !== undefined) await take(rest, false);
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
  return freeBytes < floorBytes / 2;
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

async function storePiece(filled: FilledSlot, blocks: readonly CutBlock[], deps: IngestDeps): Promise<StoredBlock | undefined> {
  const cut = cutSize(blocks);
  const size = filled.size - cut;
  if (size === 0) return undefined;
  const at = filled.slot.at + cut;
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
    const cut = cutSize(await cutting);
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
    if (!stays) returnSlot(filled.slot, storing, upload, body);
  }
}

function cutSize(blocks: readonly CutBlock[]): number {
  let size = 0;
  for (const block of blocks) size += block.size;
  return size;
}

function returnSlot(slot: Slot, after: Promise<unknown>, upload: IngestUpload, body: IncomingBody): void {
  const giveBack = () => {
    upload.account.giveBack(slot);
    body.slotAvailable();
  };
  after.then(giveBack, giveBack);
}

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
