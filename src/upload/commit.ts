import type { BlobFacts, Catalog, CommitOutcome, VersionCommit, VersionCommitter } from '../catalog/catalog.ts';
import type { ChunkerName, Hasher, WholeDigests } from '../chunker/hasher.ts';
import type { Actor } from '../core/actor.ts';
import { blake3 } from '../core/blake3.ts';
import type { BlockList } from '../core/block-list.ts';
import type { Clock } from '../core/clock.ts';
import { type BlockId, blobKeyOf, digestToHex } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { Scope } from '../core/ids.ts';
import { firstOffsetOf } from '../core/manifest-page.ts';
import { encodeManifestRoot } from '../core/manifest-root.ts';
import type { Node, OutgoingBlock } from '../graviton/node.ts';
import { blobManifest } from './blob-manifest.ts';
import type { AnnouncedDigests } from './session.ts';

export interface CommitDeps {
  readonly node: Node;
  readonly hasher: Pick<Hasher, 'hashManifestPage'>;
  readonly committer: VersionCommitter;
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** A blob whose blocks are cut and hashed; those not stored yet come along as `unstored`. */
export interface CutBlob {
  readonly blocks: BlockList;
  readonly digests: WholeDigests;
  readonly chunker: ChunkerName;
  /** Join the log together with the manifest: a small blob takes one share of one batch. */
  readonly unstored: readonly OutgoingBlock[];
}

export type VersionWish = Omit<VersionCommit, 'blob' | 'pages' | 'createdAtMs'>;

/**
 * Makes a stored blob a version: manifest records durable on the node, then one round trip to the database. Whether it may become one is
 * decided again in between: its bytes may have taken hours.
 * @throws QuasarError `commit_unknown` when even asking again does not tell whether the commit happened.
 */
export async function commitBlob(by: Actor, blob: CutBlob, wish: VersionWish, deps: CommitDeps): Promise<CommitOutcome> {
  const { pages, manifestRoot } = await blobManifest(blob.blocks, deps.hasher);
  const facts: BlobFacts = {
    key: blobKeyOf(blob.digests.blake3),
    size: blob.blocks.size,
    sha256: blob.digests.sha256,
    chunker: blob.chunker,
    manifestRoot,
    blockCount: blob.blocks.count,
  };
  const createdAtMs = deps.clock.now();
  await deps.node.putBlocks([...blob.unstored, ...manifestRecords(by, facts, pages, { ...wish, createdAtMs })]);
  const commit: VersionCommit = {
    ...wish,
    blob: facts,
    pages: facts.blockCount > 1 ? pages.map(({ bytes }) => bytes) : [],
    createdAtMs,
    // The bytes are arguments too.
    idempotency: wish.idempotency && { ...wish.idempotency, fingerprint: `${wish.idempotency.fingerprint}:${facts.key}` },
  };
  await by.confirm?.();
  try {
    return await deps.committer.commit(by, commit);
  } catch (error) {
    if (!isQuasarError(error, 'commit_unknown')) throw error;
    return await findOutcome(by, wish, error, deps);
  }
}

/** Fails closed: announced digests that differ from the bytes make nothing visible. */
export function checkDigests(digests: WholeDigests, announced: readonly AnnouncedDigests[]): void {
  for (const { blake3: key, sha256 } of announced) {
    if ((key !== undefined && key !== digests.blake3) || (sha256 !== undefined && sha256 !== digests.sha256)) {
      throw new QuasarError('digest_mismatch', {
        op: 'upload.finalize',
        details: { announced: { blake3: key, sha256 }, received: { blake3: digests.blake3, sha256: digests.sha256 } },
      });
    }
  }
}

function manifestRecords(
  scope: Scope,
  blob: BlobFacts,
  pages: readonly OutgoingBlock[],
  wish: VersionWish & { createdAtMs: number },
): OutgoingBlock[] {
  const [only] = pages;
  const linked = pages.length > 1 ? pages : [];
  const root = encodeManifestRoot({
    orgId: scope.orgId,
    documentId: wish.documentId,
    versionId: wish.versionId,
    blob: blob.key,
    size: blob.size,
    sha256: blob.sha256,
    chunker: blob.chunker,
    manifestRoot: blob.manifestRoot,
    createdAtMs: wish.createdAtMs,
    filename: wish.filename,
    contentType: wish.contentType,
    entryCount: blob.blockCount,
    pages:
      only === undefined
        ? { kind: 'none' }
        : pages.length === 1
          ? { kind: 'embedded', page: only.bytes }
          : { kind: 'linked', links: linked.map(({ id, bytes }) => ({ id, firstOffset: firstOffsetOf(bytes) })) },
  });
  return [...linked, manifestRecord(root)];
}

function manifestRecord(bytes: Uint8Array): OutgoingBlock {
  return { kind: 'manifest', id: digestToHex<BlockId>(blake3(bytes)), bytes };
}

/** The connection died with the answer: the version's own id tells whether it was committed. */
async function findOutcome(scope: Scope, wish: VersionWish, unknown: unknown, deps: CommitDeps): Promise<CommitOutcome> {
  for (let attempt = 0; attempt < REREAD_ATTEMPTS; attempt++) {
    try {
      const version = await deps.catalog.findVersion(scope, wish.documentId, wish.versionId);
      if (version !== undefined) return { kind: 'committed', version };
    } catch (error) {
      if (!isQuasarError(error) || error.kind !== 'unavailable') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, REREAD_DELAY_MS));
  }
  throw unknown;
}

/** A restarted database answers within a few seconds; absent all the while means not committed or still deciding. */
const REREAD_ATTEMPTS = 20;
const REREAD_DELAY_MS = 250;
