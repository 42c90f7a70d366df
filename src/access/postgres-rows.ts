import type { Page } from '../catalog/catalog.ts';
import { assert } from '../core/assert.ts';
import type { Queries } from '../database/transaction.ts';

/** The one word a function of migrations/000009-access.sql answers: `call` is it with its parameters. */
export async function askOutcome<Outcome extends string>(
  queries: Queries,
  call: string,
  values: readonly unknown[],
): Promise<Outcome> {
  const { rows } = await queries.query<{ outcome: Outcome }>(`SELECT ${call} AS outcome`, values);
  const [row] = rows;
  assert(row !== undefined, 'a change has an outcome');
  return row.outcome;
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
