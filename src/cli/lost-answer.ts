import { isQuasarError, QuasarError } from '../core/errors.ts';

/** A write whose answer did not come may have been made all the same: says that the command `look` shows it. Other errors pass. */
export function explainLostAnswer(error: unknown, look: string): unknown {
  if (!isQuasarError(error, 'server_unreachable') || neverArrived(error)) return error;
  return new QuasarError('server_unreachable', {
    op: 'cli.write',
    message: `${error.message} Whether it was done, "${look}" shows.`,
    details: error.details,
    cause: error.cause,
  });
}

function neverArrived({ cause }: QuasarError): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && BEFORE_THE_REQUEST.has(code);
}

/** No connection came about. */
const BEFORE_THE_REQUEST: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
