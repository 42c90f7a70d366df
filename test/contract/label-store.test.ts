import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresLabelStore } from '../../src/catalog/postgres-label-store.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import { notedInDatabase } from '../helpers/noted-events.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { labelStoreContract } from './label-store.contract.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const committer = new PostgresVersionCommitter({ pool, catalog: new PostgresCatalog(pool), clock: systemClock });
labelStoreContract(t, {
  labels: new PostgresLabelStore(pool),
  committer,
  scope,
  stranger: await makeOrg(admin, 'stranger'),
  noted: notedInDatabase(pool),
});
