import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { type Log, silentLog } from '../../src/core/log.ts';
import { EmbeddedDatabase } from '../../src/database/embedded-database.ts';
import type { EmbeddedPostgresOptions } from '../../src/database/embedded-postgres.ts';
import { findNativeDirectory, prepareBinaries } from '../../src/database/embedded-postgres-binaries.ts';
import { isServerOf } from '../../src/database/leftover-server.ts';
import { findLocalScope } from '../../src/database/local-scope.ts';
import { isReachableBy } from '../../src/database/reachable.ts';
import { chooseServerUser, parseUsers } from '../../src/database/server-user.ts';
import { openTestDatabase, TEST_PASSWORD } from '../helpers/postgres.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const program = fileURLToPath(new URL('../helpers/embedded-database-program.js', import.meta.url));

type Test = Pick<typeof t, 'teardown'>;

/** One database for all tests below: each finds it closed, and leaves it so. */
const dataDirectory = await makeClosedDatabase();

async function makeClosedDatabase(): Promise<string> {
  const { database, admin, dataDirectory } = await openTestDatabase(t);
  await admin.close();
  await database.close();
  return dataDirectory;
}

/** Served until the test ends. */
async function open(t: Test, directory = dataDirectory, more: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedDatabase> {
  const database = await EmbeddedDatabase.open({ dataDirectory: directory, password: TEST_PASSWORD, log: silentLog, ...more });
  t.teardown(() => database.close());
  return database;
}

/** Serves the directory from another process, as `user` if given. */
async function openElsewhere(t: Test, dataDirectory: string, user: { uid?: number; gid?: number } = {}): Promise<Elsewhere> {
  const child = spawn(process.execPath, [program, dataDirectory], { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/', ...user });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [pid, socketDirectory] = line.split(' ');
  return { child, pid: Number(pid), socketDirectory: socketDirectory as string };
}

async function makeHome(t: Test, within = tmpdir()): Promise<string> {
  const home = await mkdtemp(join(within, 'quasar-test-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  return home;
}

interface Elsewhere {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly socketDirectory: string;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

t.test('a cluster is made where there is none, and found again', async (t) => {
  const home = await makeHome(t);
  const first = await open(t, join(home, 'deep', 'postgres'));
  const scope = await findLocalScope(first.pool);
  t.equal(first.server.isNew, true);
  await first.close();
  t.notOk(await exists(first.server.socketDirectory), 'the socket’s folder is gone');

  const second = await open(t, join(home, 'deep', 'postgres'));
  t.equal(second.server.isNew, false);
  t.strictSame(await findLocalScope(second.pool), scope);
});

t.test('a first start that was cut off is begun again', async (t) => {
  const home = await makeHome(t);
  await mkdir(join(home, 'postgres', 'cluster.new', 'base'), { recursive: true });
  const database = await open(t, join(home, 'postgres'));
  t.equal(database.server.isNew, true);
});

t.test('it listens on a short Unix socket alone, in a folder of its own', async (t) => {
  const database = await open(t);
  const { rows } = await database.pool.query<{ name: string; setting: string }>(
    "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'fsync', 'synchronous_commit', 'password_encryption') ORDER BY 1",
  );
  t.strictSame(
    rows.map(({ setting }) => setting),
    ['on', '', 'scram-sha-256', 'on'],
  );
  t.ok(join(database.server.socketDirectory, '.s.PGSQL.5432').length < 100);
  t.equal((await stat(database.server.socketDirectory)).mode & 0o777, 0o700);
});

t.test('a password other than the first is refused, saying so', async (t) => {
  await t.rejects(open(t, dataDirectory, { password: 'abad1dea' }), { code: 'database_refused', message: /password/ });
});

t.test('a directory in use is refused, and its server left alone', async (t) => {
  const database = await open(t);
  await t.rejects(open(t), { code: 'storage_in_use' });
  await t.resolves(findLocalScope(database.pool));
});

t.test('a server left over from a killed run is stopped, and its socket’s folder taken over', async (t) => {
  const left = await openElsewhere(t, dataDirectory);
  left.child.kill('SIGKILL');
  await once(left.child, 'exit');
  const cluster = join(dataDirectory, 'cluster');
  t.ok(await isServerOf(left.pid, cluster), 'it outlives its owner');

  const warnings: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => warnings.push(fields) };
  const database = await open(t, dataDirectory, { log });
  t.match(warnings, [{ pid: left.pid }]);
  t.notOk(await isServerOf(left.pid, cluster));
  t.equal(database.server.socketDirectory, left.socketDirectory, 'nothing piles up in the temporary folder');
  await t.resolves(findLocalScope(database.pool));
});

t.test('owner and server killed together: the log makes up for it', async (t) => {
  const left = await openElsewhere(t, dataDirectory);
  left.child.kill('SIGKILL');
  process.kill(left.pid, 'SIGKILL');
  await once(left.child, 'exit');
  const database = await open(t);
  await t.resolves(findLocalScope(database.pool));
  t.equal(database.server.socketDirectory, left.socketDirectory);
});

t.test('a stale pid that now belongs to another program harms neither', async (t) => {
  const path = join(dataDirectory, 'cluster', 'postmaster.pid');
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore', ...(await chooseServerUser(join(dataDirectory, 'cluster'))) });
  t.teardown(() => bystander.kill('SIGKILL'));
  await writeFile(path, `${bystander.pid}\n/proc/self/cwd\n1\n5432\n/somewhere/else\n\n`);
  await t.resolves(findLocalScope((await open(t)).pool));
  t.equal(bystander.exitCode, null);
  t.equal(bystander.signalCode, null);
});

t.test('a server that dies is started again, and connections come back', async (t) => {
  const restarts: string[] = [];
  const database = await open(t, dataDirectory, { onRestart: (cause) => restarts.push(cause) });
  const scope = await findLocalScope(database.pool);
  for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
    const pid = database.server.pid as number;
    process.kill(pid, signal);
    await until(async () => database.server.pid !== pid && restarts.length > 0);
    await until(() =>
      findLocalScope(database.pool).then(
        () => true,
        () => false,
      ),
    );
    t.strictSame(await findLocalScope(database.pool), scope);
  }
  t.equal(restarts.length, 2);
});

t.test('while the server is down, queries say that it is unavailable', async (t) => {
  const { server, pool } = await open(t);
  await server.close();
  await t.rejects(findLocalScope(pool), { code: 'database_unavailable' });
});

t.test('closing while it restarts ends it for good', async (t) => {
  const database = await open(t);
  process.kill(database.server.pid as number, 'SIGKILL');
  await database.close();
  await t.resolves(open(t));
});

t.test('a socket folder’s name that somebody else has taken is left to them', async (t) => {
  const { server } = await open(t);
  await server.close();
  await writeFile(server.socketDirectory, 'theirs');
  t.teardown(() => rm(server.socketDirectory));
  const database = await open(t);
  t.not(database.server.socketDirectory, server.socketDirectory);
  t.equal(await readFile(server.socketDirectory, 'utf8'), 'theirs');
});

t.test('the password is on no command line', async (t) => {
  const database = await open(t);
  t.notMatch(await readFile(`/proc/${database.server.pid}/cmdline`, 'utf8'), TEST_PASSWORD);
});

if (isRoot) {
  t.test('as root it runs as another user, below folders that user cannot enter', async (t) => {
    const home = await makeHome(t, '/root');
    t.equal((await stat(home)).mode & 0o077, 0);
    const database = await open(t, join(home, 'data', 'postgres'));
    await t.resolves(findLocalScope(database.pool));
    t.not((await stat(`/proc/${database.server.pid}`)).uid, 0);
  });

  t.test('programs that the server’s user cannot reach are copied to where it can, once', async (t) => {
    const home = await makeHome(t);
    const native = join(home, 'native');
    await run('cp', ['-al', findNativeDirectory(), native]);
    const user = await chooseServerUser(join(home, 'none'));
    if (user === undefined) throw new Error('root never runs the server itself');
    t.notOk(await isReachableBy(user, join(native, 'bin', 'postgres')));

    const { postgres } = await prepareBinaries(user, native);
    const copy = dirname(dirname(postgres));
    t.teardown(() => rm(copy, { recursive: true, force: true }));
    t.match((await run(postgres, ['--version'], { ...user, cwd: '/' })).stdout, /PostgreSQL\) 18/);
    t.equal((await stat(postgres)).uid, 0, 'its user cannot change them');
    t.equal((await prepareBinaries(user, native)).postgres, postgres);
  });

  t.test('an ordinary user runs it as itself', async (t) => {
    const nobody = parseUsers(await readFile('/etc/passwd', 'utf8')).get('nobody');
    const home = await makeHome(t);
    await chown(home, nobody?.uid ?? 0, nobody?.gid ?? 0);
    // The checkout itself may be closed to others; then there is nothing such a user could run.
    if (nobody === undefined || !(await isReachableBy(nobody, dirname(program))))
      return t.pass('nobody cannot read this checkout');
    const { pid, child } = await openElsewhere(t, join(home, 'postgres'), nobody);
    t.equal((await stat(`/proc/${pid}`)).uid, nobody.uid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await chmod(home, 0o711);
    const database = await open(t, join(home, 'postgres'));
    t.equal((await stat(`/proc/${database.server.pid}`)).uid, nobody.uid, 'root goes on with the cluster’s owner');
  });
}
