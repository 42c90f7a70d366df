import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Org } from '../access/org-store.ts';
import { PostgresOrgStore } from '../access/postgres-org-store.ts';
import { recoverAdministrator } from '../access/recover-administrator.ts';
import { systemActor } from '../audit/system-actor.ts';
import type { KeepRecovered, RecoverFlags } from '../cli/access/recover.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { ensureSecret } from '../config/secrets.ts';
import { systemClock } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { silentLog } from '../core/log.ts';
import { findLocalScope } from '../database/local-scope.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import { NodeLock } from '../graviton/node-lock.ts';
import { nodePaths } from '../segment/format.ts';
import { openDatabase } from './open-database.ts';

/**
 * `quasar access recover`: the way back into an org that nobody can administer any more, for whoever may read the server's
 * secrets. The server is stopped: its lock is ours meanwhile.
 * @throws QuasarError `storage_in_use` while it runs; `storage_incompatible` when there is none; `org_not_found`; as `readConfig` and
 * `openDatabase`.
 */
export async function recoverAccess(flags: RecoverFlags, keep: KeepRecovered): Promise<Readonly<Record<string, unknown>>> {
  const { config } = await readConfig({ configDirectory: flags.config, flags: { data: flags.data } });
  const lock = await lockStore(config);
  try {
    const secret = (name: string) => ensureSecret({ directory: config.secretsDirectory, name }, 32, systemClock);
    const password = await secret('postgres-password');
    const directory = join(config.dataDirectory, 'postgres');
    const database = await openDatabase(config, { password, directory, log: silentLog });
    try {
      const pepper = await secret('api-key-pepper');
      const path = flags.out ?? join(config.dataDirectory, 'secrets', 'recovered-key');
      return await keep(path, () => recoverIn(database.pool, flags, pepper));
    } finally {
      await database.close();
    }
  } finally {
    lock.release();
  }
}

async function recoverIn(
  pool: ConnectionPool,
  { org: named, reason }: RecoverFlags,
  pepper: Awaited<ReturnType<typeof ensureSecret>>,
): Promise<Readonly<Record<string, unknown>>> {
  const operator = await findLocalScope(pool);
  const org = await findOrg(new PostgresOrgStore(pool), named ?? operator.orgId);
  const { orgId } = org;
  const actorOf = (scope: typeof operator) => systemActor(scope, 'access-recover', systemClock);
  const made = await recoverAdministrator(pool, { orgId, actorOf, operator, reason, pepper, clock: systemClock });
  const { principalId, name, keyId, key } = made;
  return { orgId, org: org.name, suspended: org.suspendedAtMs !== undefined, principalId, name, keyId, key: key.reveal() };
}

/** By its id, or by its name. */
async function findOrg(orgs: PostgresOrgStore, named: string): Promise<Org> {
  for (let after: string | undefined; ; ) {
    const page = await orgs.listOrgs({ limit: limits.pageSizeMax, after });
    const found = page.items.find(({ orgId, name }) => orgId === named || name === named);
    if (found !== undefined) return found;
    if (page.next === undefined) break;
    after = page.next;
  }
  throw new QuasarError('org_not_found', {
    op: OP,
    message: `No organisation has the id or the name ${JSON.stringify(named)}. Nothing was changed.`,
  });
}

/** A server holds the lock of its node for as long as it runs. */
async function lockStore({ dataDirectory, database }: Config): Promise<NodeLock> {
  const node = join(dataDirectory, 'node');
  const there =
    existsSync(join(node, nodePaths.identity)) && (database.url !== undefined || existsSync(clusterIn(dataDirectory)));
  if (!there) {
    throw new QuasarError('storage_incompatible', {
      op: OP,
      message: `${dataDirectory} is no data folder of a server; name it with --data. Nothing was changed.`,
    });
  }
  try {
    return await NodeLock.acquire(join(node, nodePaths.lock));
  } catch (cause) {
    if (!isQuasarError(cause, 'storage_in_use')) throw cause;
    const message = `A server is using ${dataDirectory}. Stop it, recover, then start it again.`;
    throw new QuasarError('storage_in_use', { op: OP, message, cause });
  }
}

function clusterIn(dataDirectory: string): string {
  return join(dataDirectory, 'postgres', 'cluster');
}

const OP = 'access.recover';
