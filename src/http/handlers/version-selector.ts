import type { VersionFacts } from '../../catalog/catalog.ts';
import { QuasarError } from '../../core/errors.ts';
import { type DocumentId, parseId, type VersionId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { badField, parseTimestamp } from './body-fields.ts';
import { parseLabel } from './request-bodies.ts';
import type { Services } from './services.ts';

/** Which version a request is about; a label without a time is where it stands now. */
export type VersionSelector =
  | { readonly kind: 'current' }
  | { readonly kind: 'version'; readonly versionId: VersionId }
  | { readonly kind: 'label'; readonly label: string; readonly atMs: number | undefined };

/**
 * Reads `?version=`, or `?label=` and `?asOf=`, which go together; other names are somebody else's.
 * @throws QuasarError `bad_parameter`.
 */
export function parseVersionSelector(query: string): VersionSelector {
  if (query === '') return CURRENT;
  const values = new URLSearchParams(query);
  for (const name of NAMES) if (values.getAll(name).length > 1) throw badField(name, 'is there twice');
  const version = values.get('version');
  const label = values.get('label');
  const asOf = values.get('asOf');
  if (version !== null) {
    if (label !== null || asOf !== null) throw badField('version', 'stands alone: a version has neither label nor time');
    return { kind: 'version', versionId: parseId<VersionId>(version, 'version') };
  }
  if (label === null && asOf === null) return CURRENT;
  return {
    kind: 'label',
    label: label === null ? 'CURRENT' : parseLabel(label, 'label'),
    atMs: asOf === null ? undefined : parseTimestamp(asOf, 'asOf'),
  };
}

/** From now on a label stands where it stands, whatever stamp its last move has. */
function momentOf(atMs: number | undefined, nowMs: number): { readonly atMs: number | undefined; readonly nowMs: number } {
  return { atMs: atMs !== undefined && atMs < nowMs ? atMs : undefined, nowMs };
}

/** @throws QuasarError `document_not_found`, `version_not_found`. */
export async function findSelected(
  documentId: DocumentId,
  selector: VersionSelector,
  { catalog, gate, clock }: Services,
  caller: Caller,
): Promise<VersionFacts> {
  const op = 'document.version';
  if (selector.kind === 'current') {
    const current = await catalog.findVersion(caller, documentId);
    if (current === undefined) throw new QuasarError('document_not_found', { op });
    return current;
  }
  const versionId =
    selector.kind === 'version'
      ? selector.versionId
      : await catalog.findLabel(caller, { documentId, label: selector.label, ...momentOf(selector.atMs, clock.now()) });
  const version = versionId && (await catalog.findVersion(caller, documentId, versionId));
  if (version !== undefined) return version;
  const document = await catalog.findDocument(caller, documentId);
  if (document === undefined) throw new QuasarError('document_not_found', { op });
  // That there is no such version is told to those who may read the document, and leaves its trace.
  await gate.noteRead(caller, { action: 'doc.read', documentId, versionId: undefined, bytes: 0 });
  throw new QuasarError('version_not_found', { op });
}

const NAMES = ['version', 'label', 'asOf'];
const CURRENT: VersionSelector = { kind: 'current' };
