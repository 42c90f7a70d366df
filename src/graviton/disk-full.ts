import { isQuasarError } from '../core/errors.ts';

/** The one failure of a disk that passes: no space, or none left of a quota. Looks through causes. */
export function isDiskFull(error: unknown): boolean {
  if (isQuasarError(error, 'storage_full')) return true;
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' || (cause !== undefined && isDiskFull(cause));
}
