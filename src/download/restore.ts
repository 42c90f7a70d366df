import type { BlobFacts } from '../catalog/catalog.ts';
import { QuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { BlockCache, CachedBlock, CacheWish } from '../graviton/block-cache.ts';
import type { StretchReader } from '../graviton/stretch-reader.ts';
import type { BlockMap, BlockSpan } from './block-map.ts';

export interface RestoreDeps {
  readonly cache: BlockCache;
  readonly stretches: StretchReader;
  readonly map: BlockMap;
}

export interface RestoreOptions extends RestoreDeps {
  /** Ends the wait for a slot; the generator then throws its reason. */
  readonly signal?: AbortSignal;
}

/** A verified run of bytes of a blob; `release` it when they have been sent. */
export interface Run {
  readonly bytes: Uint8Array;
  release(): void;
}

/** The whole range as one run when it lies in one block that is in memory already: no promise, no I/O. */
export function tryRestore(scope: Scope, blob: BlobFacts, start: number, end: number, deps: RestoreDeps): Run | undefined {
  const span = deps.map.tryFindSingle(scope, blob, start, end);
  const block = span === undefined ? undefined : deps.cache.tryGet(span.id);
  if (span === undefined || block === undefined) return undefined;
  return runOf(block, span);
}

/**
 * The whole range as one run when it is known to lie in one block, from the disk if need be; undefined: `restore` it.
 * For who copies the bytes at once and releases them.
 * @throws (rejects) what `BlockCache.get` throws.
 */
export function tryRead(
  scope: Scope,
  blob: BlobFacts,
  range: { readonly start: number; readonly end: number },
  deps: RestoreOptions,
): Promise<Run> | undefined {
  const span = deps.map.tryFindSingle(scope, blob, range.start, range.end);
  return span === undefined ? undefined : readSpan(span, deps);
}

/**
 * The bytes from `start` up to `end` in order, each block verified before any byte of it comes out. Reads ahead while
 * the slab has room to spare, so that a slow client holds one block, not several.
 *
 * The consumer releases each run. A failure comes out at its place: what was yielded before it is good.
 */
export async function* restore(
  scope: Scope,
  blob: BlobFacts,
  range: { readonly start: number; readonly end: number },
  deps: RestoreOptions,
): AsyncGenerator<Run, void, undefined> {
  const ahead: Ahead[] = [];
  const spans = deps.map.spans(scope, blob, range.start, range.end);
  let more = true;
  try {
    for (;;) {
      while (more && ahead.length < limits.slotsPerDownloadMax) {
        const { value: span, done } = await spans.next();
        if (span === undefined || done === true) {
          more = false;
          break;
        }
        const loading = readAhead(span, deps);
        // Its failure comes out when its turn comes.
        loading.catch((error: unknown) => error);
        ahead.push({ span, loading });
      }
      const first = ahead.shift();
      if (first === undefined) return;
      yield (await first.loading) ?? (await waitInLine(first.span, ahead, deps));
    }
  } finally {
    for (const entry of ahead) giveUp(entry);
  }
}

interface Ahead {
  readonly span: BlockSpan;
  loading: Promise<Run | undefined>;
}

async function readSpan(span: BlockSpan, deps: RestoreOptions): Promise<Run> {
  return (await deps.stretches.read(span, { ahead: false })) ?? (await readWhole(span, deps, true));
}

async function readAhead(span: BlockSpan, { cache, stretches }: RestoreDeps): Promise<Run | undefined> {
  const cached = cache.tryGet(span.id);
  if (cached !== undefined) return runOf(cached, span);
  const part = await stretches.read(span, { ahead: true });
  if (part !== undefined) return part;
  const learn = stretches.lesson(span);
  const block = await cache.get(span.id, span.size, { ahead: true, learn, batched: learn !== undefined });
  return block === undefined ? undefined : learnedRunOf(block, span, stretches);
}

async function readWhole(span: BlockSpan, deps: RestoreOptions, batched: boolean): Promise<Run> {
  const wish: CacheWish = {
    batched,
    learn: deps.stretches.lesson(span),
    // Asked for only by who has to wait: making one costs as much as the rest of a small read's handling.
    get signal() {
      return deps.signal;
    },
  };
  return learnedRunOf(await deps.cache.get(span.id, span.size, wish), span, deps.stretches);
}

/** A part of a block that was read whole: the next one of it need not be. */
async function learnedRunOf(block: CachedBlock, span: BlockSpan, stretches: StretchReader): Promise<Run> {
  const run = runOf(block, span);
  try {
    await stretches.learn(span, block);
    return run;
  } catch (error) {
    run.release();
    throw error;
  }
}

/**
 * Nothing is read ahead when slots are short; the block whose turn it is waits in line for one. It holds none meanwhile,
 * so that no two downloads wait for each other: what was read ahead is left to the cache.
 */
function waitInLine(span: BlockSpan, ahead: readonly Ahead[], deps: RestoreOptions): Promise<Run> {
  for (const entry of ahead) {
    giveUp(entry);
    entry.loading = Promise.resolve(undefined);
  }
  return readWhole(span, deps, false);
}

function giveUp({ loading }: Ahead): void {
  loading.then((run) => run?.release()).catch((error: unknown) => error);
}

/**
 * Once damage is known, a request that would soon run into it is refused before its first byte instead of being cut again.
 * Costs nothing while the store has no damage, and a look into a set for each of the first blocks while it has: damage
 * further on cuts the answer when it is reached. Who says that all of a blob is there looks at all of it (`looksMax`).
 * @throws QuasarError `corrupt`.
 */
export async function refuseKnownDamage(
  scope: Scope,
  blob: BlobFacts,
  ranges: readonly { readonly start: number; readonly end: number }[],
  { cache, map }: RestoreDeps,
  looksMax: number = limits.damageLookAheadMax,
): Promise<void> {
  if (!cache.knowsDamage) return;
  let looks = 0;
  for (const { start, end } of ranges) {
    for await (const { id } of map.spans(scope, blob, start, end)) {
      if (await cache.isLost(id)) throw new QuasarError('corrupt', { op: 'download.restore' });
      looks += 1;
      if (looks >= looksMax) return;
    }
  }
}

function runOf(block: CachedBlock, span: BlockSpan): Run {
  const { bytes } = block;
  if (bytes.byteLength !== span.size) {
    block.release();
    throw new QuasarError('corrupt', { op: 'download.manifest' });
  }
  return {
    bytes: span.start === 0 && span.end === bytes.byteLength ? bytes : bytes.subarray(span.start, span.end),
    release: () => block.release(),
  };
}
