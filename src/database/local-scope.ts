import { QuasarError } from '../core/errors.ts';
import { type OrgId, type PrincipalId, parseId, type Scope } from '../core/ids.ts';
import type { Queries } from './transaction.ts';

/** The org that operates the server, and its first administrator. Made by the first migration. */
export async function findLocalScope(queries: Queries): Promise<Scope> {
  const { rows } = await queries.query<{ org_id: string; principal_id: string }>('SELECT * FROM core.find_local_scope()');
  const [row] = rows;
  if (row === undefined) {
    throw new QuasarError('database_refused', {
      op: 'database.open',
      message: 'The database has no local org: it was not made by Quasar.',
    });
  }
  return {
    orgId: parseId<OrgId>(row.org_id, 'orgId'),
    principalId: parseId<PrincipalId>(row.principal_id, 'principalId'),
  };
}
