import type { Role } from '../../access/role.ts';
import { QuasarError } from '../../core/errors.ts';
import type { Caller } from '../caller.ts';

/**
 * Only an administrator makes one, lets one in again, or acts as one: whoever has all capabilities by a rule, but not the role, would
 * stand where nobody shuts him out any more. @throws QuasarError `stands_above`.
 */
export function requireStanding({ session }: Caller, roles: readonly Role[], op: string): void {
  if (!roles.includes('admin') || session.roles.includes('admin')) return;
  throw new QuasarError('stands_above', { op, message: 'Only an administrator makes, changes or acts as an administrator.' });
}
