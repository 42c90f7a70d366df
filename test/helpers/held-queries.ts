import type { Queries, QueryResult } from '../../src/database/transaction.ts';

export interface HeldQuery {
  readonly text: string;
  readonly values: readonly unknown[];
  succeed(): void;
  fail(error: Error): void;
}

/** Statements that wait until the test says how each ends; none has rows. */
export class HeldQueries implements Queries {
  readonly asked: HeldQuery[] = [];
  #released = false;

  query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      this.asked.push({ text, values, succeed: () => resolve({ rows: [], command: 'SELECT' }), fail: reject });
      if (this.#released) resolve({ rows: [], command: 'SELECT' });
    });
  }

  change<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.query<Row>(text, values);
  }

  /** All that wait succeed, and from now on every one at once. */
  release(): void {
    this.#released = true;
    for (const query of this.asked) query.succeed();
  }
}

/** All that is ready to run has run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
