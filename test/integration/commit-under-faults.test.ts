import t from 'tap';
import type { VersionCommit } from '../../src/catalog/catalog.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import { isQuasarError } from '../../src/core/errors.ts';
import { findLocalScope } from '../../src/database/local-scope.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { versionWish } from '../helpers/version-wish.ts';

const { pool, scope, admin, database } = await openTestDatabase(t);
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock: systemClock });

type Test = typeof t;

interface Attempt {
  readonly wish: VersionCommit;
  readonly result: string;
}

/** Commits from 16 callers until `stop` is called; what each was told. */
function commitAllTheTime(): { attempts: Attempt[]; stop: () => Promise<void> } {
  const attempts: Attempt[] = [];
  let stopped = false;
  const callers = Array.from({ length: 16 }, async () => {
    while (!stopped) {
      const wish = versionWish();
      const result = await committer.commit(scope, wish).then(
        ({ kind }) => kind as string,
        (error: unknown) => (isQuasarError(error) ? error.code : String(error)),
      );
      attempts.push({ wish, result });
      if (result !== 'committed') await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  return {
    attempts,
    stop: async () => {
      stopped = true;
      await Promise.all(callers);
    },
  };
}

/** Resolves once `count` commits more were acknowledged. */
async function untilMore(attempts: readonly Attempt[], count: number): Promise<void> {
  const acknowledged = () => attempts.filter(({ result }) => result === 'committed').length;
  const goal = acknowledged() + count;
  while (acknowledged() < goal) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function untilDatabaseAnswers(): Promise<void> {
  for (;;) {
    try {
      await findLocalScope(pool);
      return;
    } catch (error) {
      if (!isQuasarError(error, 'database_unavailable')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function checkPromises(t: Pick<Test, 'fail' | 'pass'>, attempts: readonly Attempt[]): Promise<void> {
  for (const { wish, result } of attempts) {
    const there = (await catalog.findVersion(scope, wish.documentId, wish.versionId)) !== undefined;
    if (result === 'committed' && !there) t.fail('an acknowledged commit is gone');
    if (result === 'database_unavailable' && there) t.fail('a commit that failed for sure is there');
    if (!['committed', 'database_unavailable', 'commit_unknown'].includes(result)) t.fail(`told ${result}`);
  }
  t.pass(`${attempts.length} commits were told the truth`);
}

t.test('connections cut under load: no acknowledged commit is lost, and none that failed is there', async (t) => {
  const { attempts, stop } = commitAllTheTime();
  for (let round = 0; round < 5; round++) {
    await untilMore(attempts, 50);
    await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'quasar_app'");
  }
  await untilMore(attempts, 50);
  await stop();
  await checkPromises(t, attempts);
});

t.test('the server killed under load: the same, and it goes on', async (t) => {
  const { attempts, stop } = commitAllTheTime();
  for (const signal of ['SIGKILL', 'SIGQUIT', 'SIGINT'] as const) {
    await untilMore(attempts, 50);
    process.kill(database.server.pid as number, signal);
    await untilDatabaseAnswers();
  }
  await untilMore(attempts, 50);
  await stop();
  await checkPromises(t, attempts);
});
