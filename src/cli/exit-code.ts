import { type ErrorKind, isQuasarError, type QuasarError } from '../core/errors.ts';

/** What the exit codes mean; the help prints those a command can end with. */
export const exitCodes = {
  0: 'done',
  1: 'an unexpected error: a bug of ours',
  2: 'the command line, a file or the request is not valid, or not allowed',
  3: 'not found, expired or deleted',
  4: 'a conflict, or a condition or range that does not hold',
  5: 'the server cannot be reached, is busy, or its disk is full',
  6: 'damage: bytes do not have the digest they must have',
  7: 'unproven: nothing is wrong that can be seen, but no signature covers all of it',
  130: 'interrupted',
} as const;

export type ExitCode = keyof typeof exitCodes;

const byKind: Record<ErrorKind, ExitCode> = {
  invalid: 2,
  unauthenticated: 2,
  forbidden: 2,
  too_large: 2,
  not_found: 3,
  gone: 3,
  precondition: 4,
  unsatisfiable: 4,
  conflict: 4,
  busy: 5,
  full: 5,
  unavailable: 5,
  corrupt: 6,
  cancelled: 130,
  internal: 1,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (!isQuasarError(error)) return 1;
  return cutByServer(error) ? 5 : byKind[error.kind];
}

/** Nobody interrupted the command: the server cut the request, and may take it later. */
function cutByServer(error: QuasarError): boolean {
  return error.code === 'upload_stalled' || (error.kind === 'cancelled' && error.details.status !== undefined);
}
