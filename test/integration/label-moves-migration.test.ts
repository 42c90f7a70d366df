import t from 'tap';
import { toCommitItem } from '../../src/catalog/commit-item.ts';
import { PostgresLabelStore } from '../../src/catalog/postgres-label-store.ts';
import { findLocalScope } from '../../src/database/local-scope.ts';
import { findMigrationsDirectory, migrate, readMigrations } from '../../src/database/migrate.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { actorIn } from '../helpers/actor.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const T0 = Date.UTC(2026, 0, 5, 9);
const { admin, database } = await openTestDatabase(t);
const shipped = await readMigrations(findMigrationsDirectory());

t.test('documents of a version that kept no moves get those their versions tell of', async (t) => {
  await admin.query('CREATE DATABASE before_moves OWNER quasar_owner');
  const old = new PostgresPool({ ...database.server.target('before_moves'), size: 2 });
  t.teardown(() => old.close());
  await migrate(old, shipped.slice(0, 6));
  const scope = actorIn(await findLocalScope(old));
  const first = versionWish({ createdAtMs: T0, labels: ['filed'] });
  const { documentId } = first;
  const second = versionWish({ documentId, newDocument: false, createdAtMs: T0 + 1000, reason: 'Scanned again' });
  const third = versionWish({ documentId, newDocument: false, createdAtMs: T0 + 900 });
  for (const wish of [first, second, third]) {
    const values = [scope.orgId, scope.principalId, JSON.stringify([toCommitItem(wish, 0, 0)]), Buffer.alloc(0)];
    const { rows } = await old.query('SELECT outcome FROM quasar.commit_versions($1, $2, $3, $4)', values);
    t.match(rows, [{ outcome: 'committed' }]);
  }

  await migrate(old, shipped);
  const labels = new PostgresLabelStore(old);
  const stood = (label: string, atMs: number) => labels.findLabel(scope, { documentId, label, atMs });
  t.equal(await stood('CURRENT', T0 - 1), undefined);
  t.equal(await stood('CURRENT', T0 + 999), first.versionId);
  t.equal(await stood('CURRENT', T0 + 1000), third.versionId, 'the one committed last, though its clock went back');
  t.equal(await stood('filed', T0), first.versionId);
  const { items } = await labels.listLabelMoves(scope, { documentId, label: 'CURRENT' }, { limit: 10, after: undefined });
  t.match(items, [
    { versionId: third.versionId, previous: second.versionId },
    { versionId: second.versionId, previous: first.versionId, reason: 'Scanned again', movedAtMs: T0 + 1000 },
    { versionId: first.versionId, previous: undefined, movedAtMs: T0 },
  ]);
  const wish = { documentId, label: 'CURRENT', reason: undefined, atMs: T0 };
  t.match(await labels.moveLabel(scope, { ...wish, versionId: first.versionId, expected: third.versionId }), { kind: 'moved' });
  t.equal(await stood('CURRENT', T0 + 1000), first.versionId);
});
