import pg from 'pg';
import { QuasarError } from '../core/errors.ts';
import { LostAnswer } from './postgres-statement.ts';

/** SQLSTATE classes of a server that cannot serve now: connection, resources, operator intervention, system, read-only. */
const UNAVAILABLE = /^(08|53|57|58|25006|28)/;
/** The database shares the disk with the segments, and may be the first to find it full. */
const DISK_FULL = '53100';
/** Cancelled by its own bound, or by us after it; a lock that was not to be had in time. */
const TOO_SLOW = new Set(['57014', '55P03']);
const BAD_VALUE = new Set(['22P05', '22P02', '22021']);
const RETRY = new Set(['40001', '40P01']);
const IN_FAILED_TRANSACTION = '25P02';
/** Nothing was sent, or it was found out that nothing took place. */
const SETTLED = new Set(['database.connect', 'database.change', 'database.commit']);

/** What pg threw, as ours; the original stays the cause. `op` `database.connect` means that nothing was sent. */
export function fromPostgresError(error: unknown, op: 'database.connect' | 'database.query'): QuasarError {
  const state = serverErrorOf(error)?.code;
  if (error instanceof LostAnswer || state === undefined) return new QuasarError('database_unavailable', { op, cause: error });
  if (state === DISK_FULL) return new QuasarError('storage_full', { op, cause: error });
  if (TOO_SLOW.has(state)) return new QuasarError('timeout', { op, message: SLOW, cause: error });
  return new QuasarError(UNAVAILABLE.test(state) ? 'database_unavailable' : 'internal', { op, cause: error });
}

const SLOW = 'The database took longer than its time limit, and the statement was cancelled. Nothing was changed.';

/** True when the server itself said that the statement failed, and that its session goes on: it was rolled back, for sure. */
export function isStatementFailure(error: unknown): boolean {
  if (error instanceof QuasarError && error.op === 'database.connect') return false;
  return serverErrorOf(error) !== undefined;
}

/** True when the statement certainly changed nothing: never sent, or rolled back. */
export function changedNothing(error: unknown): boolean {
  if (isStatementFailure(error)) return true;
  return error instanceof QuasarError && error.code !== 'commit_unknown' && SETTLED.has(error.op);
}

/** A deadlock or a serialisation failure: the same statement may well succeed now. */
export function isWorthRetrying(error: unknown): boolean {
  return RETRY.has(sqlStateOf(error) ?? '');
}

/** Text that PostgreSQL cannot hold: a NUL, half a surrogate pair, bytes that are no UTF-8. */
export function isBadValue(error: unknown): boolean {
  return BAD_VALUE.has(sqlStateOf(error) ?? '');
}

/** A statement of the transaction had failed before. */
export function isFailedTransaction(error: unknown): boolean {
  return sqlStateOf(error) === IN_FAILED_TRANSACTION;
}

/** Five characters of the SQL standard, when the server answered at all. */
export function sqlStateOf(error: unknown): string | undefined {
  return serverErrorOf(error)?.code;
}

/** Not that of an answer that was lost: what the server said before it hung up proves nothing. */
function serverErrorOf(error: unknown): pg.DatabaseError | undefined {
  if (error instanceof pg.DatabaseError) return error;
  return error instanceof QuasarError ? serverErrorOf(error.cause) : undefined;
}
