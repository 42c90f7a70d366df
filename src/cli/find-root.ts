import { parseBlobKey } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { type DocumentId, type OrgId, parseId, type VersionId } from '../core/ids.ts';
import type { ManifestRootPage } from '../core/manifest-root.ts';
import { type BlockSource, listRoots } from './stored-blob.ts';

/** What to look for, as the command line has it. */
export interface RootWish {
  /** Id of a document, or key of a blob. */
  readonly target: string;
  readonly version?: string | undefined;
  /** Only this organisation's. Clients choose ids of documents, so two organisations may have the same. */
  readonly org?: string | undefined;
}

export interface FoundRoot {
  readonly root: ManifestRootPage;
  /** Manifests that cannot be read; a newer version may be among them. */
  readonly unreadable: number;
}

/**
 * The manifest of a blob, of a document's version, or of its newest one: the one that was stored last, whatever the
 * clock said then. Reads all manifests: without the database there is no other way. A key names bytes, which are the same in
 * every organisation; a document is never taken from one of several organisations unasked.
 * @throws QuasarError `bad_parameter`, `blob_not_found`, `document_not_found`, `document_ambiguous`; `corrupt` when it
 * may be among the damaged ones.
 */
export async function findRoot(source: BlockSource, wish: RootWish): Promise<FoundRoot> {
  const matches = matcherOf(wish);
  const newest = new Map<OrgId, ManifestRootPage>();
  let unreadable = 0;
  for await (const finding of listRoots(source)) {
    if (!('root' in finding)) unreadable += 1;
    else if (matches(finding.root)) {
      // Behind those of other organisations, so that the last one is the one that was stored last.
      newest.delete(finding.root.orgId);
      newest.set(finding.root.orgId, finding.root);
    }
  }
  if (newest.size > 1 && !isKey(wish.target)) throw ambiguous(wish.target, [...newest.keys()]);
  const root = [...newest.values()].at(-1);
  if (root === undefined) throw notFound(wish, unreadable);
  return { root, unreadable };
}

function matcherOf({ target, version, org }: RootWish): (root: ManifestRootPage) => boolean {
  const orgId = org === undefined ? undefined : parseId<OrgId>(org, '--org');
  const inOrg = (root: ManifestRootPage): boolean => orgId === undefined || root.orgId === orgId;
  if (isKey(target)) {
    const key = parseBlobKey(target);
    return (root) => root.blob === key && inOrg(root);
  }
  const documentId = parseId<DocumentId>(target, 'DOCUMENT');
  const versionId = version === undefined ? undefined : parseId<VersionId>(version, '--version');
  return (root) => root.documentId === documentId && (versionId === undefined || root.versionId === versionId) && inOrg(root);
}

function isKey(target: string): boolean {
  return target.startsWith('b3:');
}

function ambiguous(target: string, orgs: readonly OrgId[]): QuasarError {
  return new QuasarError('document_ambiguous', {
    op: 'cli.findRoot',
    message: `${orgs.length} organisations have a document ${target}: ${orgs.join(', ')}. Say which one with --org.`,
    details: { orgs },
  });
}

function notFound({ target, org }: RootWish, unreadable: number): QuasarError {
  const where = org === undefined ? '' : ` of organisation ${org}`;
  if (unreadable > 0) {
    return new QuasarError('corrupt', {
      op: 'cli.findRoot',
      message: `No readable manifest${where} names ${target}, but ${unreadable} cannot be read: it may be one of them.`,
    });
  }
  return new QuasarError(isKey(target) ? 'blob_not_found' : 'document_not_found', {
    op: 'cli.findRoot',
    message: `No manifest${where} in these segments names ${target}.`,
  });
}
