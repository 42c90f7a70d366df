import { givenBy } from '../../access/given-by.ts';
import { parseRules } from '../../access/parse-rules.ts';
import type { AccessRule } from '../../access/rule.ts';
import type { RuledThing } from '../../access/rule-store.ts';
import { type Clock, toTimestamp } from '../../core/clock.ts';
import { QuasarError } from '../../core/errors.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { type DocumentId, newId, type UploadId } from '../../core/ids.ts';
import { makeEntries } from '../../records/write-metadata.ts';
import type { UploadSession } from '../../upload/session.ts';
import type { AttachedRecords } from '../../upload/session-store.ts';
import type { Caller } from '../caller.ts';
import type { Exchange } from '../edge.ts';
import { readJsonBody } from '../json-body.ts';
import { strictQuery } from '../query.ts';
import { replyJson } from '../reply.ts';
import { requireHeldOn } from './held-capabilities.ts';
import { type CreateWish, idempotencyKeyOf, parseCreateBody } from './request-bodies.ts';
import { placeOf, requireWriteById } from './require-write.ts';
import type { Services } from './services.ts';

/** The JSON form of `POST /v1/documents`: opens an upload session, or finds the one that is open. */
export async function createSession(exchange: Exchange, services: Services, caller: Caller): Promise<void> {
  refuseRecordParts(exchange);
  const idempotencyKey = idempotencyKeyOf(exchange);
  const wish = parseCreateBody(await readJsonBody(exchange, { optional: true }), services.oneShot.uploadSizeMax);
  const now = services.clock.now();
  const known = wish.documentId === undefined ? undefined : await services.catalog.findVersion(caller, wish.documentId);
  const rules = initialRulesOf(wish, services.clock);
  const thing: RuledThing = known === undefined ? placeOf(wish.folderId) : { kind: 'document', documentId: known.documentId };
  await requireWriteById(thing, services, caller, 'upload.create');
  if (rules !== undefined) {
    await services.gate.require(caller, thing, 'acl.admin');
    await requireHeldOn(thing, caller, givenBy(rules, []), services, 'upload.create');
  }
  const session: UploadSession = {
    uploadId: newId<UploadId>(services.clock),
    documentId: wish.documentId ?? newId<DocumentId>(services.clock),
    newDocument: known === undefined,
    folderId: wish.folderId,
    bringsRules: rules !== undefined && rules.length > 0,
    state: 'open',
    fence: 0,
    offset: 0,
    size: wish.size,
    filename: wish.filename,
    contentType: wish.contentType ?? 'application/octet-stream',
    digests: wish.digests,
    chunker: services.chunker,
    createdAtMs: now,
    expiresAtMs: now + services.uploadLifetimeMs,
    idempotencyKey,
    result: undefined,
  };
  const outcome = await services.uploads.create(caller, {
    session,
    idChosen: wish.documentId !== undefined,
    attached: await attachedOf(wish, rules, services, caller),
    idempotency: idempotencyKey === undefined ? undefined : { key: idempotencyKey, fingerprint: fingerprintOf(wish) },
  });
  if (outcome.kind === 'idempotency_mismatch') throw new QuasarError('idempotency_mismatch', { op: 'upload.create' });
  const { uploadId, documentId, offset, expiresAtMs } = outcome.session;
  replyJson(
    exchange,
    outcome.kind === 'created' ? 201 : 200,
    { uploadId, documentId, offset, expiresAt: toTimestamp(expiresAtMs) },
    ['Location', `/v1/uploads/${uploadId}`, 'Upload-Offset', String(offset)],
  );
}

/**
 * A JSON file that is posted like any other file would be read as the description of one, and lost; what names or describes
 * a file beside the body tells the two apart.
 * @throws QuasarError `bad_parameter`.
 */
function refuseRecordParts(exchange: Exchange): void {
  const query = strictQuery(exchange.query, ['filename', 'folder']);
  const parameter =
    ['filename', 'folder'].find((name) => query.has(name)) ??
    ['Content-Disposition', 'Quasar-Metadata'].find((name) => exchange.header(name.toLowerCase()) !== undefined);
  if (parameter === undefined) return;
  throw new QuasarError('bad_parameter', {
    op: 'upload.create',
    message:
      `${parameter} goes with the bytes of a file, but application/json opens an upload session, and its body says all. ` +
      'To store a JSON file, open a session with "contentType": "application/json" and send the bytes there.',
    details: { parameter },
  });
}

/** What cannot be stored is refused before a byte is sent. */
async function attachedOf(
  wish: CreateWish,
  rules: readonly AccessRule[] | undefined,
  { records }: Services,
  caller: Caller,
): Promise<AttachedRecords | undefined> {
  const { externalRefs: refs, initialMetadata, folderId } = wish;
  if (refs.length === 0 && initialMetadata === undefined && folderId === undefined && rules === undefined) return undefined;
  const metadata = initialMetadata === undefined ? [] : await makeEntries(caller, initialMetadata, records);
  return { refs, metadata, folderId, rules };
}

function initialRulesOf({ initialRules }: CreateWish, clock: Clock): readonly AccessRule[] | undefined {
  if (initialRules === undefined) return undefined;
  return parseRules(initialRules, { clock, current: new Set(), pointer: '/initialPermissions/rules' });
}
