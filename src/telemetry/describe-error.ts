import { isQuasarError } from '../core/errors.ts';

const CAUSES_MAX = 5;

/**
 * A thrown value as a log shows it: code, operation, message and the chain of causes. A stack only where it helps:
 * for what is not one of our errors, or is `internal`.
 */
export function describeError(error: unknown, depth = 0): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause = error.cause === undefined || depth === CAUSES_MAX ? {} : { cause: describeError(error.cause, depth + 1) };
  if (isQuasarError(error)) {
    const details = Object.keys(error.details).length === 0 ? {} : { details: error.details };
    const stack = error.kind === 'internal' ? { stack: error.stack } : {};
    return { code: error.code, op: error.op, message: error.message, ...details, ...stack, ...cause };
  }
  const code = (error as NodeJS.ErrnoException).code;
  return { ...(code === undefined ? {} : { code }), message: error.message, stack: error.stack, ...cause };
}
