import type { CommitOutcome } from '../catalog/catalog.ts';
import { type ChunkerName, type Hasher, singleBlockMax, type WholeDigests } from '../chunker/hasher.ts';
import type { Actor } from '../core/actor.ts';
import { BlockList } from '../core/block-list.ts';
import { limits } from '../core/limits.ts';
import type { Slab } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import type { Admission, Admitted } from './admission.ts';
import { type CommitDeps, type CutBlob, checkDigests, commitBlob, type VersionWish } from './commit.ts';
import { type BodySource, type FilledSlot, IncomingBody } from './incoming-body.ts';
import { InterruptedBody, ingest } from './ingest.ts';
import type { AnnouncedDigests } from './session.ts';
import { type StallRule, watchForStall } from './stall-watch.ts';

export interface OneShotDeps extends CommitDeps {
  readonly slab: Slab;
  readonly hasher: Hasher;
  readonly node: Node;
  readonly admission: Admission;
  readonly chunker: ChunkerName;
  readonly uploadSizeMax: number;
  readonly stallRule: StallRule;
}

export interface OneShotRequest {
  readonly source: BodySource;
  /** Known from the head of the request, or later from its first bytes. */
  readonly describe: (firstBytes: Uint8Array) => VersionWish;
  readonly digests: readonly AnnouncedDigests[];
  readonly observe: ((bytes: Uint8Array) => void) | undefined;
  /** Runs when all bytes are in, before anything becomes visible; throws to refuse. */
  readonly verify: () => void;
}

/** One request, one version. What breaks off leaves nothing visible; there is no session to come back to. */
export async function storeOneShot(by: Actor, request: OneShotRequest, deps: OneShotDeps): Promise<CommitOutcome> {
  const admitted = deps.admission.admit(by);
  const body = new IncomingBody({
    source: request.source,
    slab: deps.slab,
    account: admitted.account,
    mayHold: admitted.mayHold,
    gate: admitted.gate,
    sizeMax: deps.uploadSizeMax,
    carries: deps.chunker !== 'fixed-1m',
    observe: request.observe,
  });
  const endWatch = watchForStall(body, deps.stallRule);
  try {
    body.start();
    const first = await body.peek();
    const wish = request.describe(first.slot.bytes.subarray(0, Math.min(first.size, SNIFF_SIZE)));
    const store = first.last && first.size <= singleBlockMax(deps.chunker) ? storeSingle : storeStream;
    return await store({ by, request, deps, admitted, body, wish });
  } catch (error) {
    throw error instanceof InterruptedBody ? error.cause : error;
  } finally {
    endWatch();
    body.close();
    admitted.close();
  }
}

interface Storing {
  readonly by: Actor;
  readonly request: OneShotRequest;
  readonly deps: OneShotDeps;
  readonly admitted: Admitted;
  readonly body: IncomingBody;
  readonly wish: VersionWish;
}

/** At most one block: one hash, and block, manifest and commit each share a batch with others'. */
async function storeSingle({ by, request, deps, admitted, body, wish }: Storing): Promise<CommitOutcome> {
  const { slot, size } = (await body.next()) as FilledSlot;
  const stream = deps.hasher.openStream(deps.chunker);
  try {
    const blocks = new BlockList(1);
    const digests = await stream.hashSingle(slot.at, size);
    if (size > 0) blocks.push(digests.blake3, size);
    check(request, digests);
    const unstored = size === 0 ? [] : [{ kind: 'data' as const, id: digests.blake3, bytes: slot.bytes.subarray(0, size) }];
    return await commitBlob(by, { blocks, digests, chunker: deps.chunker, unstored }, wish, deps);
  } finally {
    stream.close();
    admitted.account.giveBack(slot);
  }
}

async function storeStream({ by, request, deps, admitted, body, wish }: Storing): Promise<CommitOutcome> {
  const stream = deps.hasher.openStream(deps.chunker);
  try {
    const blocks = new BlockList(256);
    await ingest(
      body,
      {
        account: admitted.account,
        mayHold: admitted.mayHold,
        stream,
        blocks,
        whole: true,
        endsAfter: () => true,
        onDurable: () => {},
      },
      deps,
    );
    const digests = await stream.finish();
    check(request, digests);
    const blob: CutBlob = { blocks, digests, chunker: deps.chunker, unstored: [] };
    return await commitBlob(by, blob, wish, deps);
  } finally {
    stream.close();
  }
}

function check(request: OneShotRequest, digests: WholeDigests): void {
  request.verify();
  checkDigests(digests, request.digests);
}

/** Enough for every signature `describe` looks for. */
const SNIFF_SIZE = Math.min(4096, limits.slotSize);
