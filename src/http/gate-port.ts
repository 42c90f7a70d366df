import type { AccessChange } from '../access/access-change.ts';
import type { ExplainedCredential } from '../access/explain.ts';
import type { NarrowedExplanation } from '../access/narrowed-explanation.ts';
import type { RuledThing } from '../access/rule-store.ts';
import type { Capability, CapabilitySet } from '../core/capability.ts';
import type { BlobKey } from '../core/digest.ts';
import type { DocumentId, FolderId, PrincipalId, VersionId } from '../core/ids.ts';
import type { Caller } from './caller.ts';
import type { Exchange } from './edge.ts';

/** What is read: metadata and other facts as `doc.read`, content as `blob.read`. */
export interface NotedRead {
  readonly action: 'doc.read' | 'blob.read';
  readonly documentId: DocumentId;
  /** Undefined when it is about no one version. */
  readonly versionId: VersionId | undefined;
  /** Of content; 0 for facts. */
  readonly bytes: number;
}

export interface AccessQuestion {
  readonly principalId: PrincipalId;
  readonly action: Capability;
  readonly credential: ExplainedCredential;
  /** Of the credential; all there is without one. */
  readonly scope: CapabilitySet;
}

export interface NotedListing {
  readonly action: Capability;
  readonly list: 'documents' | 'folders' | 'orgs';
  /** Of what is in it. Undefined: of the whole org. */
  readonly folderId?: FolderId | undefined;
}

/** Who may, as handlers ask for it. All things are of the caller's org: what another org has is missing. */
export interface Gate {
  /**
   * Decides, and sees to it that the decision is noted: an allowed one with what the caller goes on to change or read.
   * Resolves when it is allowed.
   * @throws QuasarError `document_not_found`, `folder_not_found` for what is missing or hidden, else `forbidden`; `document_disposed` for
   * what would have been allowed, but for `acl.admin`: what the rules were can still be told.
   */
  require(caller: Caller, thing: RuledThing, capability: Capability): void | Promise<void>;

  /** The credentials of this request may be used for it at all; what they are used on is decided elsewhere. @throws QuasarError `forbidden`. */
  requireScope(caller: Caller, capability: Capability): void | Promise<void>;

  /**
   * Notes that a version is read, durable before anything is answered; no promise when it is counted only. What is read goes to the
   * caller's account of bytes.
   * @throws QuasarError `rate_limited`, `database_unavailable`.
   */
  noteRead(caller: Caller, read: NotedRead): void | Promise<void>;

  /** Notes that a list is read, as `noteRead`; what is in it stands in no event. */
  noteListing(caller: Caller, listing: NotedListing): void | Promise<void>;

  /** Whether the caller may do it to one of the documents, and may read that one. Refusals are noted as about the blob. */
  findAllowed(caller: Caller, documentIds: readonly DocumentId[], capability: Capability): Promise<DocumentId | undefined>;

  /** A blob that no document the caller may read refers to, or that is not there: always throws `blob_not_found`, and notes it. */
  refuseBlob(caller: Caller, key: BlobKey): Promise<never>;

  /** Whether the request may see how the server is. @throws QuasarError `unauthenticated` for credentials that are not taken. */
  mayObserve(exchange: Exchange): Promise<boolean>;

  /** All the caller may do to the thing with the credentials of this request. Nothing, when it is missing. */
  capabilitiesOn(caller: Caller, thing: RuledThing): Promise<CapabilitySet>;

  /** Whether the caller may read each, in their order; nothing is noted. */
  readable(caller: Caller, things: readonly RuledThing[]): Promise<boolean[]>;

  /**
   * How a decision about a principal falls with a credential, and why, as far as the caller may know.
   * @throws QuasarError `document_not_found`, `folder_not_found`, `principal_not_found`.
   */
  explain(caller: Caller, thing: RuledThing, question: AccessQuestion): Promise<NarrowedExplanation>;

  /** Principals, groups, keys, folders or rules of the org are others now: this process forgets what it knew of them at once. */
  changed(change: AccessChange): void;
}
