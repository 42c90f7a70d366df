import type { Page } from '../catalog/catalog.ts';
import type { Actor, Deed } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import { askGuarded, askNoted, type NotedCall } from '../database/noted.ts';
import type { ConnectionPool, Queries } from '../database/transaction.ts';

/** The one word a function of migrations/ answers: `call` is it with its parameters. */
export async function askOutcome<Outcome extends string>(
  queries: Queries,
  call: string,
  values: readonly unknown[],
): Promise<Outcome> {
  const { rows } = await queries.change<{ outcome: Outcome }>(`SELECT ${call} AS outcome`, values);
  const [row] = rows;
  assert(row !== undefined, 'a change has an outcome');
  return row.outcome;
}

export interface NotedChange<Outcome extends string> {
  /** A function that names the org itself and answers one word, with its parameters. */
  readonly call: string;
  readonly values: readonly unknown[];
  /** The outcomes that changed something: with them the deed is noted. */
  readonly when: readonly Outcome[];
  readonly deed: Deed;
}

/** The same for a change: its note is stored by the same statement. @throws QuasarError what `Actor.note` throws. */
export async function askChange<Outcome extends string>(
  queries: Queries,
  by: Actor,
  change: NotedChange<Outcome>,
): Promise<Outcome> {
  return (await askNoted<{ readonly outcome: Outcome }>(queries, callOf(by, change))).outcome;
}

/** The same, if the document is still what the guard demands. @throws QuasarError `precondition_failed`. */
export async function askGuardedChange<Outcome extends string>(
  pool: ConnectionPool,
  by: Actor,
  change: NotedChange<Outcome>,
  guard: DocumentGuard | undefined,
): Promise<Outcome> {
  return (await askGuarded<{ readonly outcome: Outcome }>(pool, callOf(by, change), guard)).outcome;
}

function callOf<Outcome extends string>(by: Actor, { call, values, when, deed }: NotedChange<Outcome>): NotedCall {
  const [only, ...others] = when;
  const done = only !== undefined && others.length === 0 ? { done: { outcome: only } } : {};
  return { orgId: by.orgId, text: `SELECT ${call} AS outcome`, values, when, notes: [by.note(deed)], ...done };
}

/** Of rows in the order of their ids, of which one more than `limit` was asked for. */
export function pageOf<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  return { items: shown.map(toItem), next: rows.length > limit ? shown.at(-1)?.id : undefined };
}
