import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { DocumentId, PrincipalId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { askNoted } from '../database/noted.ts';
import type { Queries } from '../database/transaction.ts';
import { deedOfRules } from './noted-rules.ts';
import { type LinkedPlaceRow, type PlaceRow, toAccessList, toAccessLists } from './place-rows.ts';
import type { AccessRule, SubjectId } from './rule.ts';
import type { FoundAccessList, RuleChange, RuledThing, RuleSet, RuleStore, RulesOutcome, RulesWish } from './rule-store.ts';

interface OutcomeRow {
  readonly outcome: RulesOutcome['kind'];
  readonly version: number | null;
  readonly subject_id: SubjectId | null;
}

interface ChangeRow {
  readonly version: number;
  readonly rules: readonly AccessRule[];
  readonly changed_by: PrincipalId;
  readonly changed_at_ms: number;
}

/** The functions of migrations/, one round trip each. */
export class PostgresRuleStore implements RuleStore {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async replaceRules(by: Actor, thing: RuledThing, wish: RulesWish): Promise<RulesOutcome> {
    const { rules, expectedVersion, atMs } = wish;
    assert(rules.length <= limits.accessRulesMax, 'a list of rules has been through its parser');
    const text = 'SELECT * FROM quasar.replace_rules($1, $2, $3, $4, $5, $6, $7)';
    const id = idOf(by, thing);
    const values = [by.orgId, by.principalId, thing.kind, id, expectedVersion, JSON.stringify(rules), atMs];
    const notes = [by.note(deedOfRules({ kind: thing.kind, id }, wish))];
    const done = { outcome: 'replaced', version: expectedVersion + 1, subject_id: null };
    const call = { orgId: by.orgId, text, values, when: ['replaced'], notes, done };
    return toOutcome(await askNoted<OutcomeRow>(this.#queries, call));
  }

  async findRules(scope: Scope, thing: RuledThing): Promise<RuleSet | undefined> {
    const [row] = await this.#loadPlaces(scope, thing);
    return row && { version: row.version, rules: row.rules ?? [] };
  }

  async loadAccessList(scope: Scope, thing: RuledThing): Promise<FoundAccessList | undefined> {
    const rows = await this.#loadPlaces(scope, thing);
    return rows.length === 0 ? undefined : toAccessList(scope.orgId, rows);
  }

  async loadAccessLists({ orgId }: Scope, documentIds: readonly DocumentId[]): Promise<ReadonlyMap<DocumentId, FoundAccessList>> {
    if (documentIds.length === 0) return new Map();
    const text = 'SELECT * FROM quasar.load_access_lists($1, $2)';
    const { rows } = await this.#queries.query<LinkedPlaceRow>(text, [orgId, documentIds]);
    return toAccessLists(orgId, rows);
  }

  async listRuleChanges(
    scope: Scope,
    thing: RuledThing,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<RuleChange>> {
    const values = [scope.orgId, thing.kind, idOf(scope, thing), after ?? null, limit, limits.pageBytesMax];
    const { rows } = await this.#queries.query<ChangeRow>(
      'SELECT * FROM quasar.page_of_rule_changes($1, $2, $3, $4, $5, $6)',
      values,
    );
    const last = rows.at(-1)?.version ?? FIRST_VERSION;
    return { items: rows.map(toChange), next: last > FIRST_VERSION ? String(last) : undefined };
  }

  async #loadPlaces(scope: Scope, thing: RuledThing): Promise<readonly PlaceRow[]> {
    const values = [scope.orgId, thing.kind, idOf(scope, thing), limits.folderDepthMax];
    const { rows } = await this.#queries.query<PlaceRow>('SELECT * FROM quasar.load_access_list($1, $2, $3, $4)', values);
    // A longer line would have been cut, and with it rules that deny.
    const folders = rows.filter(({ kind }) => kind === 'folder').length;
    assert(folders <= limits.folderDepthMax, 'folders lie within each other no deeper than they may');
    return rows;
  }
}

function idOf(scope: Scope, thing: RuledThing): string {
  switch (thing.kind) {
    case 'document':
      return thing.documentId;
    case 'folder':
      return thing.folderId;
    case 'org':
      return scope.orgId;
  }
}

function toOutcome({ outcome, version, subject_id }: OutcomeRow): RulesOutcome {
  switch (outcome) {
    case 'place_missing':
    case 'last_administrator':
      return { kind: outcome };
    case 'subject_missing':
    case 'stands_above':
      assert(subject_id !== null, 'whomever the refusal is about is named');
      return { kind: outcome, subjectId: subject_id };
    default:
      assert(version !== null, 'rules have a version');
      return { kind: outcome, version };
  }
}

function toChange({ version, rules, changed_by, changed_at_ms }: ChangeRow): RuleChange {
  return { version, rules, changedBy: changed_by, changedAtMs: changed_at_ms };
}

/** Of the rules of a thing; each later change has the next number. */
const FIRST_VERSION = 1;
