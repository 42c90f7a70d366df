import type { Directory } from '../../access/directory.ts';
import type { FolderStore } from '../../access/folder-store.ts';
import type { GroupStore } from '../../access/group-store.ts';
import type { KeyStore } from '../../access/key-store.ts';
import type { OrgStore } from '../../access/org-store.ts';
import type { PrincipalStore } from '../../access/principal-store.ts';
import type { RevocationStore } from '../../access/revocation-store.ts';
import type { RuleStore } from '../../access/rule-store.ts';
import type { Secret } from '../../config/secret.ts';
import type { OrgId } from '../../core/ids.ts';

/** What administering who may needs. */
export interface AccessDeps {
  readonly directory: Directory;
  readonly orgs: OrgStore;
  readonly principals: PrincipalStore;
  readonly groups: GroupStore;
  readonly folders: FolderStore;
  readonly rules: RuleStore;
  readonly keys: KeyStore;
  readonly revocations: RevocationStore;
  /** Of the codes that are stored of API keys. */
  readonly pepper: Secret;
  /** The org that may make and suspend others. */
  readonly operatorOrgId: OrgId;
}
