import t from 'tap';
import { assertSafeServer } from '../../src/database/postgres-guard.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { openTestDatabase } from '../helpers/postgres.ts';

const { pool, admin, database } = await openTestDatabase(t);

function refusal(message: RegExp) {
  return { code: 'database_refused', message };
}

/** A role with these attributes that may log in. */
async function connectAs(
  t: { teardown(handler: () => Promise<void>): void },
  name: string,
  attributes: string,
): Promise<PostgresPool> {
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'abc' ${attributes}`);
  const other = new PostgresPool({ ...database.server.target('quasar', name, 'abc'), size: 1 });
  t.teardown(() => other.close());
  return other;
}

t.test('the application on a safe server is taken', async (t) => {
  await t.resolves(assertSafeServer(pool));
});

t.test('a superuser is refused', async (t) => {
  await t.rejects(assertSafeServer(admin), refusal(/"postgres", a superuser; connect as quasar_app/));
});

t.test('a role that bypasses row-level security is refused', async (t) => {
  await t.rejects(assertSafeServer(await connectAs(t, 'bypasser', 'BYPASSRLS')), refusal(/NOBYPASSRLS/));
});

t.test('a member of the owner is refused', async (t) => {
  await t.rejects(assertSafeServer(await connectAs(t, 'co_owner', 'IN ROLE quasar_owner')), refusal(/member of quasar_owner/));
});

for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
  t.test(`a server with ${setting} off is refused`, async (t) => {
    const unsafe = openTestDatabase(t, { [setting]: 'off' });
    await t.rejects(unsafe, refusal(new RegExp(`set ${setting} = on`)));
  });
}
