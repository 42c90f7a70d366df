import type { RuledThing } from '../../access/rule-store.ts';
import { QuasarError } from '../../core/errors.ts';
import { type FolderId, parseId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { onDocument, onFolder, onOrg, type RouteAccess } from '../route-access.ts';
import type { Params } from '../router.ts';
import { documentIdOf } from './documents.ts';
import { WHOLE_ORG } from './held-capabilities.ts';
import { orgIdOf } from './orgs.ts';

/** What rules can hang on, as routes name it: each has the same ones below its path. */
export interface RuledPlace {
  readonly path: string;
  /** Whoever may change the rules there. */
  readonly access: RouteAccess;
  /** @throws QuasarError `bad_parameter`; `org_not_found` for another org than the caller's. */
  thingOf(params: Params, caller: Caller): RuledThing;
}

export const ruledPlaces: readonly RuledPlace[] = [
  {
    path: '/v1/documents/{documentId}',
    access: onDocument('acl.admin'),
    thingOf: (params) => ({ kind: 'document', documentId: documentIdOf(params) }),
  },
  {
    path: '/v1/folders/{folderId}',
    access: onFolder('acl.admin'),
    thingOf: (params) => ({ kind: 'folder', folderId: folderIdOf(params) }),
  },
  {
    path: '/v1/orgs/{orgId}',
    access: onOrg('acl.admin'),
    thingOf: (params, { orgId }) => {
      if (orgIdOf(params) !== orgId) throw notFound(WHOLE_ORG, 'org.find');
      return WHOLE_ORG;
    },
  },
];

export function folderIdOf(params: Params): FolderId {
  return parseId<FolderId>(params.folderId as string, 'folderId');
}

export function notFound({ kind }: RuledThing, op: string): QuasarError {
  return new QuasarError(`${kind}_not_found`, { op });
}
