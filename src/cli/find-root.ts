import { parseBlobKey } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { type DocumentId, parseId, type VersionId } from '../core/ids.ts';
import type { ManifestRootPage } from '../core/manifest-root.ts';
import { type BlockSource, listRoots } from './stored-blob.ts';

/**
 * The manifest of a blob, of a document's version, or of its newest one. Reads all manifests: without the database
 * there is no other way.
 * @throws QuasarError `bad_parameter`, `blob_not_found`, `document_not_found`; `corrupt` when it may be among the damaged ones.
 */
export async function findRoot(source: BlockSource, target: string, version: string | undefined): Promise<ManifestRootPage> {
  const matches = matcherOf(target, version);
  let newest: ManifestRootPage | undefined;
  let unreadable = 0;
  for await (const finding of listRoots(source)) {
    if (!('root' in finding)) unreadable += 1;
    else if (matches(finding.root) && (newest === undefined || finding.root.createdAtMs > newest.createdAtMs))
      newest = finding.root;
  }
  if (newest !== undefined) return newest;
  if (unreadable > 0) {
    throw new QuasarError('corrupt', {
      op: 'cli.findRoot',
      message: `No readable manifest names ${target}, but ${unreadable} cannot be read: it may be one of them.`,
    });
  }
  throw new QuasarError(target.startsWith('b3:') ? 'blob_not_found' : 'document_not_found', {
    op: 'cli.findRoot',
    message: `No manifest in these segments names ${target}.`,
  });
}

function matcherOf(target: string, version: string | undefined): (root: ManifestRootPage) => boolean {
  if (target.startsWith('b3:')) {
    const key = parseBlobKey(target);
    return (root) => root.blob === key;
  }
  const documentId = parseId<DocumentId>(target, 'DOCUMENT');
  const versionId = version === undefined ? undefined : parseId<VersionId>(version, '--version');
  return (root) => root.documentId === documentId && (versionId === undefined || root.versionId === versionId);
}
