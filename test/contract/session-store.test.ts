import t from 'tap';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { PostgresSessionStore } from '../../src/upload/postgres-session-store.ts';
import { notedInDatabase } from '../helpers/noted-events.ts';
import { makeOrg, openTestDatabase } from '../helpers/postgres.ts';
import { sessionStoreContract } from './session-store.contract.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const clock = standingClock();
const store = new PostgresSessionStore({ pool, clock });
sessionStoreContract(t, { store, clock, scope, stranger: await makeOrg(admin, 'stranger'), noted: notedInDatabase(pool) });

/** Moves only when it is told to. */
function standingClock(): Clock & { advance(ms: number): void } {
  let now = systemClock.now();
  return {
    ...systemClock,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
}
