import type { DocumentId, OrgId } from '../core/ids.ts';
import { type AccessChange, documentClassOf } from './access-change.ts';
import { RevocationEpochs } from './revocation-epochs.ts';

/**
 * What this process knows about who may, by org: good as long as the epochs it was loaded under are the same. An org's
 * administration changes rarely, so that all of it is forgotten together; documents come and go all the time, so that a change of
 * one forgets little beside it.
 */
export class AccessEpochs {
  /** Of credentials, principals, roles, groups. */
  readonly identities = new RevocationEpochs<OrgId>();
  /** Of rules of the org and of folders, and the folders themselves. */
  readonly rules = new RevocationEpochs<OrgId>();
  /** Of rules of documents, of where they lie and whether they are there; by org and class. */
  readonly documents = new RevocationEpochs<string>();
  /** False while changes made by other processes may not be heard of: nothing that is known may be used again then. */
  listening = false;

  /** Something changed; undefined when it cannot be told what. */
  changed(change: AccessChange | undefined): void {
    if (change === undefined) this.changedAll();
    else if (change.kind === 'document') this.documents.revoke(`${change.orgId} ${change.documentClass}`);
    else if (change.kind === 'rules' || change.kind === 'folder') this.rules.revoke(change.orgId);
    else this.identities.revoke(change.orgId);
  }

  documentEpochOf(orgId: OrgId, documentId: DocumentId): number {
    return this.documents.epochOf(`${orgId} ${documentClassOf(documentId)}`);
  }

  changedAll(): void {
    this.identities.revokeAll();
    this.rules.revokeAll();
    this.documents.revokeAll();
  }
}
