import t from 'tap';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import { notedInDatabase } from '../helpers/noted-events.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { catalogContract } from './catalog.contract.ts';
import { clockOrderContract } from './clock-order.contract.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });
catalogContract(t, { catalog, committer, scope, stranger: await makeOrg(admin, 'stranger'), noted: notedInDatabase(pool) });
clockOrderContract(t, { catalog, committer, scope });
