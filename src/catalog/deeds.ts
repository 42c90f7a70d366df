import type { Actor, AuditNote, Deed } from '../core/actor.ts';
import { auditDetail, shorten } from '../core/audit-detail.ts';
import type { DocumentId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { SchemaState } from '../core/schema-state.ts';
import type { VersionCommit } from './catalog.ts';
import { ownLabels } from './commit-item.ts';
import type { LabelWish } from './label-store.ts';
import type { MetadataChange, MetadataWish } from './metadata-store.ts';
import type { ExternalRef } from './ref-store.ts';
import type { NewSchema } from './schema-store.ts';

/** What the changes of the catalog are in the words of the audit log. */

export function commitDeed(wish: VersionCommit): Deed {
  const { documentId, versionId, newDocument, folderId, blob, upload, reason, parents = [], metadata = [] } = wish;
  const labels = ownLabels(wish);
  return {
    action: newDocument ? 'document.create' : 'version.create',
    resource: { kind: 'document', id: documentId, version: versionId },
    detail: auditDetail({
      key: blob.key,
      size: blob.size,
      uploadId: upload?.uploadId,
      folderId,
      reason,
      parents: parents.length === 0 ? undefined : parents,
      labels: labels.length === 0 ? undefined : labels,
      metadata: metadata.length === 0 ? undefined : metadata.map(({ namespace, metadataId }) => ({ namespace, metadataId })),
    }),
  };
}

/** `from` null: the label stood nowhere yet. */
export function labelDeed({ documentId, versionId, label, expected, reason }: LabelWish): Deed {
  return {
    action: 'label.move',
    resource: { kind: 'document', id: documentId, version: versionId },
    detail: auditDetail({ label, from: expected ?? null, to: versionId, reason }),
  };
}

/** The change, and that some of what it stored does not fit its schema. */
export function metadataNotes(by: Actor, wish: MetadataWish): AuditNote[] {
  const { action, documentId, versionId, changes, replaces, reason } = wish;
  const resource = { kind: 'document', id: documentId, version: versionId } as const;
  const notes = [by.note({ action, resource, detail: auditDetail({ entries: changes.map(entryOf), replaces, reason }) })];
  const quarantined = changes.filter(({ entry }) => entry?.status === 'quarantined');
  if (quarantined.length > 0) {
    const detail = auditDetail({ entries: quarantined.map(entryOf) });
    notes.push(by.note({ action: 'metadata.quarantine', resource, detail }));
  }
  return notes;
}

/** `from` is the entry that was replaced, where the change was written against one. */
function entryOf({ layer, namespace, base, entry }: MetadataChange): Record<string, unknown> {
  const from = base == null ? {} : { from: base };
  return { layer, namespace, ...from, metadataId: entry?.metadataId ?? null, status: entry?.status ?? 'removed' };
}

export function refDeed(
  action: 'reference.add' | 'reference.remove',
  documentId: DocumentId,
  { system, value }: Pick<ExternalRef, 'system' | 'value'>,
): Deed {
  return { action, resource: { kind: 'document', id: documentId }, detail: auditDetail({ system, value }) };
}

export function schemaDeed({ urn, namespace, state, digest }: NewSchema): Deed {
  const detail = auditDetail({ namespace, state, canonicalHash: `sha256:${digest}` });
  return { action: 'schema.create', resource: schemaResource(urn), detail };
}

export function schemaStateDeed(urn: string, from: SchemaState, to: Exclude<SchemaState, 'draft'>): Deed {
  return { action: STATE_ACTIONS[to], resource: schemaResource(urn), detail: { from, to } };
}

const STATE_ACTIONS = { active: 'schema.activate', deprecated: 'schema.deprecate', revoked: 'schema.revoke' } as const;

function schemaResource(urn: string): Deed['resource'] {
  return { kind: 'schema', id: shorten(urn, limits.auditResourceIdMax) };
}

export function migrationDeed({ from, to }: { readonly from: string; readonly to: string }): Deed {
  const whole = `${from} -> ${to}`;
  const half = Math.floor((limits.auditResourceIdMax - ' -> '.length) / 2);
  const id = whole.length <= limits.auditResourceIdMax ? whole : `${shorten(from, half)} -> ${shorten(to, half)}`;
  return { action: 'migration.create', resource: { kind: 'migration', id }, detail: auditDetail({ from, to }) };
}
