import type { RuledThing } from '../../access/rule-store.ts';
import type { VersionFacts } from '../../catalog/catalog.ts';
import { toTimestamp } from '../../core/clock.ts';
import { isQuasarError, QuasarError } from '../../core/errors.ts';
import { parseId, type UploadId } from '../../core/ids.ts';
import { refuseKnownDamage } from '../../download/restore.ts';
import type { FinalizeWish } from '../../upload/finalize.ts';
import type { UploadSession } from '../../upload/session.ts';
import type { Finalized } from '../../upload/uploads.ts';
import { announcedDigests, verifierOf } from '../body-digests.ts';
import type { Caller } from '../caller.ts';
import type { Exchange } from '../edge.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { byHandler } from '../route-access.ts';
import { type Params, route, taking } from '../router.ts';
import { readAnswer } from './read-answer.ts';
import { parseFinalizeBody } from './request-bodies.ts';
import { placeOf, requireWrite, requireWriteById } from './require-write.ts';
import type { Services } from './services.ts';
import { sessionView, versionView } from './views.ts';

/**
 * An upload belongs to the principal that began it, and was allowed then. Whether a document or a version may become of it is
 * decided again at its end, and what became of it is shown to those alone who may read that.
 */
export const headUpload = route('HEAD', '/v1/uploads/{uploadId}', byHandler('doc.write'), showUpload);
export const getUpload = route('GET', '/v1/uploads/{uploadId}', byHandler('doc.write'), showUpload);

async function showUpload(exchange: Exchange, params: Params, services: Services, caller: Caller): Promise<void> {
  await services.gate.requireScope(caller, 'doc.write');
  const session = await services.uploads.get(caller, uploadIdOf(params));
  if (session.state === 'expired') throw new QuasarError('upload_expired', { op: 'upload.get' });
  const result = await resultOf(session, services, caller);
  if (result !== undefined) await readAnswer(result, services, caller);
  replyJson(exchange, 200, sessionView(session, result), uploadHeaders(session));
}

export const deleteUpload = route(
  'DELETE',
  '/v1/uploads/{uploadId}',
  byHandler('doc.write'),
  async (exchange, params, services: Services, caller) => {
    await services.gate.requireScope(caller, 'doc.write');
    await services.uploads.cancel(caller, uploadIdOf(params));
    exchange.reply(204, []);
  },
);

export const putUploadBytes = taking(
  'piece',
  route('PUT', '/v1/uploads/{uploadId}/bytes', byHandler('doc.write'), async (exchange, params, services: Services, caller) => {
    const uploadId = uploadIdOf(params);
    const refused = services.gate.requireScope(caller, 'blob.write');
    if (refused !== undefined) await refused;
    const digest = verifierOf(announcedDigests(exchange));
    const offset = await services.uploads.append(caller, uploadId, {
      source: exchange,
      offset: parseOffset(exchange.header('upload-offset')),
      size: exchange.bodySize,
      observe: digest?.observe,
      verify: digest?.verify,
    });
    exchange.reply(204, ['Upload-Offset', String(offset), 'Quasar-Durability', services.durability]);
  }),
);

export const finalizeUpload = route(
  'POST',
  '/v1/uploads/{uploadId}/finalize',
  byHandler('doc.write'),
  async (exchange, params, services: Services, caller) => {
    const uploadId = uploadIdOf(params);
    const wish = parseFinalizeBody(await readJsonBody(exchange, { optional: true }));
    await services.gate.requireScope(caller, 'doc.write');
    const session = await services.uploads.get(caller, uploadId);
    await requireFinalize(session, services, caller);
    const outcome = await finalizeDecided(session, wish, services, caller);
    if (outcome.repeated) await tellAgain(outcome.version, services, caller);
    replyJson(exchange, outcome.repeated ? 200 : 201, versionView(outcome.version), [
      ...locationOf(outcome.version),
      'Quasar-Durability',
      services.durability,
    ]);
  },
);

/** Nothing was sent that would have mended it: content that is known to be damaged is not called stored. @throws QuasarError `corrupt`. */
async function tellAgain(version: VersionFacts, services: Services, caller: Caller): Promise<void> {
  await readAnswer(version, services, caller);
  const whole = { start: 0, end: version.blob.size };
  await refuseKnownDamage(caller, version.blob, [whole], services.restore, Number.POSITIVE_INFINITY);
}

/** What the session was made for, which may have been allowed then and not be now. @throws QuasarError as `Gate.require`. */
async function requireFinalize(session: UploadSession, services: Services, caller: Caller): Promise<void> {
  const { newDocument, state, documentId, folderId, bringsRules } = session;
  const makesDocument = newDocument && state !== 'committed';
  const thing: RuledThing = makesDocument ? placeOf(folderId) : { kind: 'document', documentId };
  await requireWrite(thing, services, caller);
  if (makesDocument && bringsRules) await services.gate.require(caller, thing, 'acl.admin');
}

/** Another session may have made the document after this one had begun: who may add to it is another question. */
async function finalizeDecided(
  { uploadId, newDocument, documentId }: UploadSession,
  wish: FinalizeWish,
  services: Services,
  caller: Caller,
): Promise<Finalized> {
  try {
    return await services.uploads.finalize(caller, uploadId, wish);
  } catch (error) {
    if (!newDocument || !isQuasarError(error, 'version_conflict')) throw error;
    await requireWriteById({ kind: 'document', documentId }, services, caller, 'upload.finalize');
    return services.uploads.finalize(caller, uploadId, { ...wish, mayAdd: true });
  }
}

function uploadIdOf(params: Params): UploadId {
  return parseId<UploadId>(params.uploadId as string, 'uploadId');
}

async function resultOf(session: UploadSession, { catalog }: Services, caller: Caller): Promise<VersionFacts | undefined> {
  if (session.result === undefined) return undefined;
  return catalog.findVersion(caller, session.documentId, session.result.versionId);
}

function uploadHeaders(session: UploadSession): string[] {
  return [
    'Upload-Offset',
    String(session.offset),
    ...(session.size === undefined ? [] : ['Upload-Length', String(session.size)]),
    'Upload-Complete',
    session.state === 'committed' ? '?1' : '?0',
    'Upload-Expires',
    toTimestamp(session.expiresAtMs),
    'Cache-Control',
    'no-store',
  ];
}

export function locationOf(version: VersionFacts): string[] {
  return ['Location', `/v1/documents/${version.documentId}/content?version=${version.versionId}`];
}

function parseOffset(text: string | undefined): number {
  if (text === undefined) return 0;
  const offset = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(offset)) {
    throw new QuasarError('bad_parameter', {
      op: 'upload.append',
      message: 'Upload-Offset must be a whole number of bytes.',
      details: { parameter: 'Upload-Offset' },
    });
  }
  return offset;
}
