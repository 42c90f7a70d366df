import type { ChunkerName } from '../../src/chunker/hasher.ts';
import { PiscinaHasher } from '../../src/chunker/piscina-hasher.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, newId, type OrgId, type PrincipalId, type UploadId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { silentLog } from '../../src/core/log.ts';
import { Slab } from '../../src/core/slab.ts';
import { BlockMap } from '../../src/download/block-map.ts';
import { BlockCache } from '../../src/graviton/block-cache.ts';
import { Admission } from '../../src/upload/admission.ts';
import type { AppendRequest } from '../../src/upload/append.ts';
import type { BodySource } from '../../src/upload/incoming-body.ts';
import type { UploadSession } from '../../src/upload/session.ts';
import { Uploads, type UploadsDeps } from '../../src/upload/uploads.ts';
import { actorIn } from './actor.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import { MemoryNode } from './memory-node.ts';
import { MemorySessionStore } from './memory-session-store.ts';
import type { ScriptedSource } from './scripted-source.ts';
import { standingClock } from './standing-clock.ts';

export const testScope = actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });

export interface OpenUploadsOptions {
  readonly slots?: number;
  readonly chunker?: ChunkerName;
  readonly changes?: Partial<UploadsDeps>;
}

/** The upload layer over a real slab and a real lane, with node, sessions and catalog in memory. */
export async function openUploads(t: { teardown(end: () => Promise<void>): void }, options: OpenUploadsOptions = {}) {
  const slots = options.slots ?? 10;
  const slab = new Slab({ slotSize: limits.slotSize, slotCount: slots, uploadSlotsMax: Math.max(1, slots - 2), extraSize: 0 });
  const hasher = await PiscinaHasher.open({ slab, lanes: 1 });
  t.teardown(() => hasher.close());
  const clock = standingClock();
  const node = new MemoryNode();
  const sessions = new MemorySessionStore(clock);
  const catalog = new MemoryCatalog(clock.now, sessions);
  const cache = new BlockCache({ slab, node, hasher, onCorrupt: () => {} });
  const admission = new Admission({ slab, node, uploadsInFlightMax: Math.min(4, slots - 2), slotsPerUploadMax: 3 });
  const deps: UploadsDeps = {
    slab,
    hasher,
    node,
    admission,
    catalog,
    committer: catalog,
    clock,
    chunker: options.chunker ?? 'fixed-1m',
    uploadSizeMax: limits.blobSizeMax,
    stallRule: { windowMs: 60_000, bytesMin: 1 },
    sessions,
    cache,
    log: silentLog,
    idleHashStatesMax: 100,
    checkpointBytes: limits.blockSizeMax,
    checkpointIntervalMs: 1e9,
    ...options.changes,
  };
  const uploads = new Uploads(deps);
  t.teardown(() => uploads.close());
  const open = (changes: Partial<UploadSession> = {}) => openSession(uploads, deps, changes);
  return { slab, slots, hasher, clock, node, sessions, catalog, cache, admission, deps, uploads, open };
}

export type OpenUploads = Awaited<ReturnType<typeof openUploads>>;

async function openSession(uploads: Uploads, { clock, chunker }: UploadsDeps, changes: Partial<UploadSession>) {
  const session: UploadSession = {
    uploadId: newId<UploadId>(clock),
    documentId: newId<DocumentId>(clock),
    newDocument: true,
    folderId: undefined,
    bringsRules: false,
    state: 'open',
    fence: 0,
    offset: 0,
    size: undefined,
    filename: 'scan.tif',
    contentType: 'image/tiff',
    digests: {},
    chunker,
    createdAtMs: clock.now(),
    expiresAtMs: clock.now() + limits.uploadLifetimeMs,
    idempotencyKey: undefined,
    result: undefined,
    ...changes,
  };
  await uploads.create(testScope, { session, attached: undefined, idempotency: undefined });
  return session;
}

export function appendRequest(source: BodySource, offset: number, changes: Partial<AppendRequest> = {}): AppendRequest {
  return { source, offset, size: undefined, observe: undefined, verify: undefined, ...changes };
}

/**
 * Waits until all of the source is taken, and so many blocks and pieces lie on the node: threads hash them, so no number of
 * turns of the event loop is enough.
 */
export async function untilStored({ node }: OpenUploads, source: ScriptedSource, count: number): Promise<void> {
  while (source.waiting > 0 || node.blocks.size < count) await new Promise((resolve) => setImmediate(resolve));
}

/** The bytes of the document's current version, as the store holds them. */
export async function storedBytes({ catalog, node, deps }: OpenUploads, documentId: DocumentId): Promise<Buffer> {
  const version = await catalog.findVersion(testScope, documentId);
  if (version === undefined) throw new Error('there is no version');

  const parts: Buffer[] = [];
  for await (const { id } of new BlockMap(deps.catalog).spans(testScope, version.blob, 0, version.blob.size)) {
    parts.push(node.blocks.get(id)?.bytes ?? Buffer.from('missing'));
  }
  return Buffer.concat(parts);
}
