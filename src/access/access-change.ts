import { type DocumentId, isId, type OrgId } from '../core/ids.ts';

/** Where every change to who may is told. Whoever may connect to the database may listen, so it is told without any content. */
export const ACCESS_CHANNEL = 'quasar_access';

/** What about an org's access changed. */
export const accessChangeKinds = ['org', 'principal', 'group', 'folder', 'rules', 'key', 'token'] as const;

export type AccessChange =
  | { readonly orgId: OrgId; readonly kind: (typeof accessChangeKinds)[number] }
  /** Of documents of this class: where one lies, its own rules, whether it is there. */
  | { readonly orgId: OrgId; readonly kind: 'document'; readonly documentClass: string };

/**
 * Documents fall into 4,096 classes by the end of their ids: enough that one that is placed or disposed of leaves nearly all others
 * in memory, and few enough that what is told names none. The database does the same (core.tell_document_change).
 */
export function documentClassOf(documentId: DocumentId): string {
  return documentId.slice(-3);
}

/** `<org id> <kind>`, `<org id> document <class>`. Undefined for anything else: a later version's word, or noise. Then all caches must go. */
export function parseAccessChange(payload: string): AccessChange | undefined {
  const [org = '', word, documentClass, ...rest] = payload.split(' ');
  if (!isId(org) || rest.length > 0) return undefined;
  const orgId = org as OrgId;
  if (word === 'document')
    return CLASS.test(documentClass ?? '') ? { orgId, kind: word, documentClass: documentClass as string } : undefined;
  const kind = accessChangeKinds.find((name) => name === word);
  return kind !== undefined && documentClass === undefined ? { orgId, kind } : undefined;
}

const CLASS = /^[0-9a-f]{3}$/;
