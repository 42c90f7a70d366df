import { isId, type OrgId } from '../core/ids.ts';

/** Where every change to who may is told. Whoever may connect to the database may listen, so it is told without any content. */
export const ACCESS_CHANNEL = 'quasar_access';

/** What about an org's access changed. */
export const accessChangeKinds = ['org', 'principal', 'group', 'folder', 'rules', 'key', 'token'] as const;

export interface AccessChange {
  readonly orgId: OrgId;
  readonly kind: (typeof accessChangeKinds)[number];
}

/** `<org id> <kind>`. Undefined for anything else: a later version's word, or somebody's noise. Then all caches must go. */
export function parseAccessChange(payload: string): AccessChange | undefined {
  const [orgId = '', word, ...rest] = payload.split(' ');
  const kind = accessChangeKinds.find((name) => name === word);
  return isId(orgId) && kind !== undefined && rest.length === 0 ? { orgId: orgId as OrgId, kind } : undefined;
}
