import type { OrgId } from '../core/ids.ts';
import type { AccessChange } from './access-change.ts';
import { RevocationEpochs } from './revocation-epochs.ts';

/**
 * What this process knows about who may, by org: good as long as the epochs it was loaded under are the same. An org's
 * administration changes rarely, so that all of it is forgotten together.
 */
export class AccessEpochs {
  /** Of credentials, principals, roles, groups. */
  readonly identities = new RevocationEpochs<OrgId>();
  /** Of rules and the folders they hang on. */
  readonly rules = new RevocationEpochs<OrgId>();
  /** False while changes made by other processes may not be heard of: nothing that is known may be used again then. */
  listening = false;

  /** Something changed; undefined when it cannot be told what. */
  changed(change: AccessChange | undefined): void {
    if (change === undefined) this.changedAll();
    else if (change.kind === 'rules' || change.kind === 'folder') this.rules.revoke(change.orgId);
    else this.identities.revoke(change.orgId);
  }

  /** Everything of one org. */
  changedOrg(orgId: OrgId): void {
    this.identities.revoke(orgId);
    this.rules.revoke(orgId);
  }

  changedAll(): void {
    this.identities.revokeAll();
    this.rules.revokeAll();
  }
}
