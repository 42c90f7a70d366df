import pg from 'pg';
import { QuasarError } from '../core/errors.ts';

/** SQLSTATE classes of a server that cannot serve now: connection, resources, operator intervention, system, read-only. */
const UNAVAILABLE = /^(08|53|57|58|25006|55P03|28)/;
/** The database shares the disk with the segments, and may be the first to find it full. */
const DISK_FULL = '53100';
const BAD_VALUE = new Set(['22P05', '22P02', '22021']);
const RETRY = new Set(['40001', '40P01']);

/** What pg threw, as ours; the original stays the cause. `op` `database.connect` means that nothing was sent. */
export function fromPostgresError(error: unknown, op: 'database.connect' | 'database.query'): QuasarError {
  const state = serverErrorOf(error)?.code;
  if (state === DISK_FULL) return new QuasarError('storage_full', { op, cause: error });
  const unavailable = state === undefined || UNAVAILABLE.test(state);
  return new QuasarError(unavailable ? 'database_unavailable' : 'internal', { op, cause: error });
}

/** True when the server itself said that the statement failed and its session lives on: it was rolled back, for sure. */
export function isStatementFailure(error: unknown): boolean {
  return serverErrorOf(error)?.severity === 'ERROR';
}

/** True when the statement certainly changed nothing: never sent, or rolled back. */
export function changedNothing(error: unknown): boolean {
  return (error instanceof QuasarError && error.op === 'database.connect') || isStatementFailure(error);
}

/** A deadlock or a serialisation failure: the same statement may well succeed now. */
export function isWorthRetrying(error: unknown): boolean {
  return RETRY.has(sqlStateOf(error) ?? '');
}

/** Text that PostgreSQL cannot hold: a NUL, half a surrogate pair, bytes that are no UTF-8. */
export function isBadValue(error: unknown): boolean {
  return BAD_VALUE.has(sqlStateOf(error) ?? '');
}

/** Five characters of the SQL standard, when the server answered at all. */
export function sqlStateOf(error: unknown): string | undefined {
  return serverErrorOf(error)?.code;
}

function serverErrorOf(error: unknown): pg.DatabaseError | undefined {
  if (error instanceof pg.DatabaseError) return error;
  return error instanceof QuasarError ? serverErrorOf(error.cause) : undefined;
}
