import type { Guard } from './postgres-statement.ts';

/*
 * The bounds of a statement, set in its own transaction: neither a start-up parameter nor a SET of the session holds through a
 * pooler, which hands each transaction to any of its connections. The bound of a statement is fixed when it starts, so the
 * guard is a statement of its own. The bound of a lock also holds while constraints are checked at the commit, when that of
 * the statement has ended.
 */

/** A question changes nothing, and the server sees to it. */
const QUESTION = `SELECT NULL, set_config('transaction_read_only', 'on', true), set_config('statement_timeout', $1, true)`;
const CHANGE = `SELECT pg_current_xact_id()::text, set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true)`;

export interface Guards {
  readonly question: Guard;
  readonly change: Guard;
}

/** `prepared`: the connections keep them under their names, once each. */
export function makeGuards(statementMs: number, prepared: boolean): Guards {
  const values = [String(statementMs)];
  return {
    question: { text: QUESTION, values, name: prepared ? 'guard_question' : '' },
    change: { text: CHANGE, values, name: prepared ? 'guard_change' : '' },
  };
}

/** Before COMMIT, where the bounds are set already: the transaction's number, null when it has changed nothing. */
export const COMMIT_GUARD: Guard = { text: 'SELECT pg_current_xact_id_if_assigned()::text', values: [], name: '' };

/** Statements for the beginning of a transaction. A client that is gone must not hold its locks for longer either. */
export function boundsOf(statementMs: number): string {
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
  return `SELECT ${names.map((name) => `set_config('${name}', '${statementMs}', true)`).join(', ')}`;
}
