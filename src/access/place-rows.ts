import { createHash } from 'node:crypto';
import { assert } from '../core/assert.ts';
import type { DocumentId, FolderId, OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { type CompiledRules, compileRules } from './access-list.ts';
import type { AccessRule, RulePlace } from './rule.ts';
import type { FoundAccessList } from './rule-store.ts';

/** A place with its latest rules, as the database answers with it. */
export interface PlaceRow {
  readonly kind: RulePlace['kind'];
  readonly place_id: string;
  readonly version: number;
  /** Null: it never had any. */
  readonly rules: readonly AccessRule[] | null;
  /** True for documents alone. */
  readonly disposed: boolean;
}

/** The same out of its line; `within_id` is the folder next outwards. */
export interface LinkedPlaceRow extends PlaceRow {
  readonly within_id: FolderId | null;
}

/** A row with its rules arranged: once a row, however many lists it is in. */
interface Place {
  readonly row: PlaceRow;
  readonly compiled: CompiledRules;
}

/** Of rows in the order in which they are asked. */
export function toAccessList(orgId: OrgId, rows: readonly PlaceRow[]): FoundAccessList {
  return listOf(orgId, rows.map(compile));
}

/** Of rows in any order, each place once: one list for every document among them. */
export function toAccessLists(orgId: OrgId, rows: readonly LinkedPlaceRow[]): ReadonlyMap<DocumentId, FoundAccessList> {
  const lines = new Lines(rows);
  const lists = new Map<DocumentId, FoundAccessList>();
  const plain = { live: new Map<FolderId | null, FoundAccessList>(), disposed: new Map<FolderId | null, FoundAccessList>() };
  for (const row of rows) {
    if (row.kind !== 'document') continue;
    const { within_id } = row;
    const alike = row.disposed ? plain.disposed : plain.live;
    const shared = row.version === 0 ? alike.get(within_id) : undefined;
    const list = shared ?? listOf(orgId, [compile(row), ...lines.outwardsFrom(within_id)]);
    if (row.version === 0) alike.set(within_id, list);
    lists.set(row.place_id as DocumentId, list);
  }
  return lists;
}

/** What lies around a document: its folder, that one's parents, the org. Every folder is compiled once. */
class Lines {
  readonly #folders = new Map<string, Place & { readonly within_id: FolderId | null }>();
  readonly #org: Place | undefined;

  constructor(rows: readonly LinkedPlaceRow[]) {
    for (const row of rows) {
      if (row.kind === 'folder') this.#folders.set(row.place_id, { ...compile(row), row, within_id: row.within_id });
      if (row.kind === 'org') this.#org = compile(row);
    }
  }

  outwardsFrom(folderId: FolderId | null): Place[] {
    const line: Place[] = [];
    for (let at = folderId; at !== null; ) {
      const folder = this.#folders.get(at);
      // Whatever is left out here may be a rule that denies.
      assert(folder !== undefined, 'a folder around a document is among the rows');
      assert(line.length < limits.folderDepthMax, 'folders lie within each other no deeper than they may');
      line.push(folder);
      at = folder.within_id;
    }
    assert(this.#org !== undefined, 'a document has an org');
    return [...line, this.#org];
  }
}

function compile(row: PlaceRow): Place {
  const { kind, place_id, version, rules } = row;
  const place: RulePlace = kind === 'folder' ? { kind, folderId: place_id as FolderId } : { kind };
  return { row, compiled: compileRules({ place, placeId: place_id, version }, rules ?? []) };
}

function listOf(orgId: OrgId, places: readonly Place[]): FoundAccessList {
  const version = versionOf(places.map(({ row }) => row));
  const disposed = places.some(({ row }) => row.disposed);
  return { version, orgId, places: places.map(({ compiled }) => compiled), disposed };
}

/** A document that never had rules of its own is not named: it shares the version, and so decisions, with its neighbours. */
function versionOf(rows: readonly PlaceRow[]): string {
  const hash = createHash('sha256');
  for (const { kind, place_id, version } of rows) {
    if (kind !== 'document' || version > 0) hash.update(`${kind} ${place_id} ${version}\n`);
  }
  return hash.digest('base64url');
}
