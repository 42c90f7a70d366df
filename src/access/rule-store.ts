import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { DocumentId, FolderId, PrincipalId, Scope } from '../core/ids.ts';
import type { AccessList } from './access-list.ts';
import type { AccessRule, SubjectId } from './rule.ts';

/** One thing that rules can hang on; the org is that of the scope. */
export type RuledThing =
  | { readonly kind: 'document'; readonly documentId: DocumentId }
  | { readonly kind: 'folder'; readonly folderId: FolderId }
  | { readonly kind: 'org' };

/** The rules of one place. Version 0: it never had any; each change makes the next. */
export interface RuleSet {
  readonly version: number;
  readonly rules: readonly AccessRule[];
}

/** With what decides beside rules: a document that is disposed of is not there for anybody any more. */
export interface FoundAccessList extends AccessList {
  readonly disposed: boolean;
}

export interface RuleChange extends RuleSet {
  readonly changedBy: PrincipalId;
  readonly changedAtMs: number;
}

export interface RulesWish {
  /** Been through `parseRules`. */
  readonly rules: readonly AccessRule[];
  /** The version they replace. */
  readonly expectedVersion: number;
  readonly atMs: number;
}

export type RulesOutcome =
  | { readonly kind: 'replaced'; readonly version: number }
  /** Somebody else replaced them; nothing was written. */
  | { readonly kind: 'rules_changed'; readonly version: number }
  /** A rule names somebody the org has not. */
  | { readonly kind: 'subject_missing'; readonly subjectId: SubjectId }
  /** The org would be left without an administrator who may change its rules. */
  | { readonly kind: 'last_administrator' }
  /** A rule would shut out a principal who stands above whoever writes it. */
  | { readonly kind: 'stands_above'; readonly subjectId: SubjectId }
  /** Or a document that is disposed of. */
  | { readonly kind: 'place_missing' };

/** Access rules. Sets are only ever added, so all that ever held is kept. What another org has is missing here. */
export interface RuleStore {
  /** Noted with the rules themselves, while they fit into an event. */
  replaceRules(by: Actor, thing: RuledThing, wish: RulesWish): Promise<RulesOutcome>;
  /** Undefined: there is no such thing. */
  findRules(scope: Scope, thing: RuledThing): Promise<RuleSet | undefined>;
  /** All that has a say about the thing, as it stands at one moment. Undefined: there is no such thing. */
  loadAccessList(scope: Scope, thing: RuledThing): Promise<FoundAccessList | undefined>;
  /**
   * The same for many documents, as it stands at one moment; those that are absent are not in the answer. What they share is
   * one object: the rules of a folder or the org, and the list of all that have none of their own in one folder and are
   * disposed of, or not, alike.
   */
  loadAccessLists(scope: Scope, documentIds: readonly DocumentId[]): Promise<ReadonlyMap<DocumentId, FoundAccessList>>;
  /** Latest first. `after` is a `next` of an earlier page. Those of a deleted folder too. */
  listRuleChanges(
    scope: Scope,
    thing: RuledThing,
    options: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<RuleChange>>;
}
