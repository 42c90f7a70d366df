import { PostgresDirectory } from '../access/postgres-directory.ts';
import { PostgresFolderStore } from '../access/postgres-folder-store.ts';
import { PostgresGroupStore } from '../access/postgres-group-store.ts';
import { PostgresKeyStore } from '../access/postgres-key-store.ts';
import { PostgresOrgStore } from '../access/postgres-org-store.ts';
import { PostgresPrincipalStore } from '../access/postgres-principal-store.ts';
import { PostgresRevocationStore } from '../access/postgres-revocation-store.ts';
import { PostgresRuleStore } from '../access/postgres-rule-store.ts';
import type { Secret } from '../config/secret.ts';
import type { Scope } from '../core/ids.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import type { AccessDeps } from '../http/handlers/access-deps.ts';

/** Who may, as the database keeps it. `operator`: in whose org the server is operated. */
export function accessStores(pool: ConnectionPool, pepper: Secret, operator: Scope): AccessDeps {
  return {
    directory: new PostgresDirectory(pool),
    orgs: new PostgresOrgStore(pool),
    principals: new PostgresPrincipalStore(pool),
    groups: new PostgresGroupStore(pool),
    folders: new PostgresFolderStore(pool),
    rules: new PostgresRuleStore(pool),
    keys: new PostgresKeyStore(pool),
    revocations: new PostgresRevocationStore(pool),
    pepper,
    operatorOrgId: operator.orgId,
  };
}
