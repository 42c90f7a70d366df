import type { FoundMetadata, StoredMetadata } from '../../catalog/metadata-store.ts';
import { toTimestamp } from '../../core/clock.ts';
import { QuasarError } from '../../core/errors.ts';
import { isId, type MetadataId, type VersionId } from '../../core/ids.ts';
import type { MetadataLayer } from '../../core/metadata-layer.ts';
import { type Iri, parseIri } from '../../metadata/iri.ts';
import { parsePatch } from '../../metadata/patch-operation.ts';
import { type EntryPlace, findEntry, patchMetadata, replaceBundle } from '../../records/write-metadata.ts';
import type { Caller } from '../caller.ts';
import { expectedVersionOf, NO_VERSION, versionEtagOf } from '../conditional-write.ts';
import type { Exchange } from '../edge.ts';
import { mediaTypeOf, readJsonBody } from '../json-body.ts';
import { type WriteConditions, writeConditionsOf } from '../preconditions.ts';
import { replyJson, replyTagged } from '../reply.ts';
import { onDocument } from '../route-access.ts';
import { evaluating, type Params, route } from '../router.ts';
import { badField } from './body-fields.ts';
import { documentIdOf } from './documents.ts';
import { type PatchBody, parseBundleBody, parsePatchBody } from './metadata-bodies.ts';
import type { Services } from './services.ts';
import { findSelected, parseVersionSelector } from './version-selector.ts';

const BARE_PATCH = 'application/json-patch+json';

export const getMetadata = route(
  'GET',
  '/v1/documents/{documentId}/metadata',
  onDocument('doc.read'),
  async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const version = await findSelected(documentId, parseVersionSelector(exchange.query), services, caller);
    await services.gate.noteRead(caller, { action: 'doc.read', documentId, versionId: version.versionId, bytes: 0 });
    const entries = await services.records.metadata.listMetadata(caller, documentId, version.versionId);
    const shown = entries.filter(({ status }) => status === 'valid' || wantsQuarantined(exchange));
    replyJson(exchange, 200, {
      documentId,
      versionId: version.versionId,
      canonical: byNamespace(shown, 'canonical'),
      derived: byNamespace(shown, 'derived'),
    });
  },
);

export const getNamespace = route(
  'GET',
  '/v1/documents/{documentId}/metadata/{namespace}',
  onDocument('doc.read'),
  async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const namespace = namespaceOf(params);
    const layer = layerOf(exchange);
    const version = await findSelected(documentId, parseVersionSelector(exchange.query), services, caller);
    await services.gate.noteRead(caller, { action: 'doc.read', documentId, versionId: version.versionId, bytes: 0 });
    const entries = await services.records.metadata.listMetadata(caller, documentId, version.versionId);
    const entry = entries.find((one) => one.layer === layer && one.namespace === namespace);
    if (entry === undefined || (entry.status === 'quarantined' && !wantsQuarantined(exchange))) {
      throw new QuasarError('metadata_not_found', { op: 'metadata.get', details: { namespace } });
    }
    const view = { documentId, versionId: version.versionId, namespace, layer, entry: entryView(entry) };
    replyTagged(exchange, metadataEtagOf(entry.metadataId, version.versionId), view);
  },
);

export const postMetadata = evaluating(
  ['if-match', 'if-none-match'],
  route(
    'POST',
    '/v1/documents/{documentId}/metadata',
    onDocument('doc.write'),
    async (exchange, params, services: Services, caller) => {
      const documentId = documentIdOf(params);
      const { bundle, reason } = parseBundleBody(await readJsonBody(exchange, { optional: false }));
      const current = await services.catalog.findVersion(caller, documentId);
      if (current === undefined) throw new QuasarError('document_not_found', { op: 'metadata.post' });
      const expectedVersionId = expectedVersionOf(writeConditionsOf(exchange), current);
      if (expectedVersionId === NO_VERSION) {
        throw new QuasarError('precondition_failed', {
          op: 'metadata.post',
          details: { etag: versionEtagOf(current.versionId) },
        });
      }
      const wish = { documentId, bundle, expectedVersionId, reason };
      const { versionId, entries } = await replaceBundle(caller, wish, services.records);
      replyJson(exchange, 201, {
        documentId,
        versionId,
        namespaces: entries.map(({ namespace, metadataId, status }) => ({ namespace, metadataId, status })),
      });
    },
  ),
);

export const patchNamespace = evaluating(
  ['if-match'],
  route(
    'POST',
    '/v1/documents/{documentId}/metadata/{namespace}/patch',
    onDocument('doc.write'),
    async (exchange, params, services: Services, caller) => {
      const documentId = documentIdOf(params);
      const namespace = namespaceOf(params);
      const body = await readPatch(exchange);
      const base = await baseOf(
        { documentId, namespace, layer: body.layer },
        body.base,
        writeConditionsOf(exchange),
        services,
        caller,
      );
      const wish = { documentId, namespace, ...body, base };
      const { versionId, entries } = await patchMetadata(caller, wish, services.records);
      const [entry] = entries as [StoredMetadata];
      const answer = { documentId, versionId, namespace, metadataId: entry.metadataId, status: entry.status };
      replyJson(exchange, 200, answer, ['ETag', metadataEtagOf(entry.metadataId, versionId)]);
    },
  ),
);

async function readPatch(exchange: Exchange): Promise<PatchBody> {
  const bare = mediaTypeOf(exchange.header('content-type') ?? '') === BARE_PATCH;
  const body = await readJsonBody(exchange, { optional: false, alsoType: BARE_PATCH });
  if (!bare) return parsePatchBody(body);
  return {
    layer: 'canonical',
    base: undefined,
    patch: parsePatch(body ?? null),
    provenance: undefined,
    reason: undefined,
  };
}

/**
 * The entry that must still be there when the patch is committed: the one of the body, which If-Match must name too when it
 * is sent, or the only one of If-Match, or of several the one that is there.
 * @throws QuasarError `precondition_required` when none is named, `precondition_failed`.
 */
async function baseOf(
  place: EntryPlace,
  ofBody: MetadataId | undefined,
  { ifMatch }: WriteConditions,
  { records }: Services,
  caller: Caller,
): Promise<MetadataId> {
  const op = 'metadata.patch';
  if (ifMatch === undefined || ifMatch === '*') {
    if (ofBody === undefined) throw new QuasarError('precondition_required', { op });
    return ofBody;
  }
  const named = ifMatch.flatMap((tag) => {
    const id = METADATA_TAG.exec(tag)?.[1];
    return id !== undefined && isId(id) ? [id as MetadataId] : [];
  });
  if (ofBody === undefined && named.length === 1) return named[0] as MetadataId;
  const base = ofBody ?? (await findEntry(caller, place, records)).metadataId;
  if (!named.includes(base)) throw new QuasarError('precondition_failed', { op });
  return base;
}

/** With the version or without: what must still be there is the entry. */
const METADATA_TAG = /^"m-([0-9a-f-]{36})(?:\.[0-9a-f-]{36})?"$/;

/** The answer names the version as well: the same entry may be shown as that of several. */
function metadataEtagOf(metadataId: MetadataId, versionId: VersionId): string {
  return `"m-${metadataId}.${versionId}"`;
}

function namespaceOf(params: Params): Iri {
  return parseIri(params.namespace as string, 'namespace');
}

function layerOf(exchange: Exchange): MetadataLayer {
  const layer = new URLSearchParams(exchange.query).get('mode') ?? 'canonical';
  if (layer !== 'canonical' && layer !== 'derived') throw badField('mode', 'must be canonical or derived');
  return layer;
}

function wantsQuarantined(exchange: Exchange): boolean {
  const wish = new URLSearchParams(exchange.query).get('quarantined');
  if (wish !== null && wish !== 'true' && wish !== 'false') throw badField('quarantined', 'must be true or false');
  return wish === 'true';
}

function byNamespace(entries: readonly FoundMetadata[], layer: MetadataLayer): Record<string, unknown> {
  return Object.fromEntries(entries.filter((entry) => entry.layer === layer).map((entry) => [entry.namespace, entryView(entry)]));
}

function entryView(entry: FoundMetadata): Record<string, unknown> {
  return {
    metadataId: entry.metadataId,
    schema: { $id: entry.schema },
    status: entry.status,
    data: JSON.parse(entry.data) as unknown,
    errors: entry.faults === undefined ? [] : (JSON.parse(entry.faults) as unknown),
    ...(entry.provenance === undefined ? {} : { provenance: JSON.parse(entry.provenance) as unknown }),
    createdBy: entry.createdBy,
    createdAt: toTimestamp(entry.createdAtMs),
  };
}
