import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresTarget } from '../../src/database/postgres-pool.ts';
import { chooseServerUser } from '../../src/database/server-user.ts';
import type { Teardown, TestDatabase } from './postgres.ts';

const PORT = 6432;

/**
 * PgBouncer in front of a test's database, one transaction after the other on `connections` of the application's role. Reached
 * by a socket in a folder of its own; it takes whoever comes.
 */
export async function openPgBouncer(
  t: Teardown,
  { database, dataDirectory }: TestDatabase,
  connections = 3,
): Promise<PostgresTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'quasar-bouncer-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { host, port, user, password } = database.target;
  const config = join(folder, 'pgbouncer.ini');
  await writeFile(
    config,
    `[databases]
quasar = host=${host} port=${port} dbname=quasar user=${user} password=${password}
[pgbouncer]
listen_addr =
listen_port = ${PORT}
unix_socket_dir = ${folder}
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
`,
  );
  const owner = await chooseServerUser(join(dataDirectory, 'cluster'));
  if (owner !== undefined) for (const path of [folder, config]) await chown(path, owner.uid, owner.gid);
  const child = spawn('pgbouncer', ['-q', config], { stdio: 'ignore', env: { PATH: '/usr/sbin:/usr/bin:/bin' }, ...owner });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await untilReachable(join(folder, `.s.PGSQL.${PORT}`), ended);
  return { host: folder, port: PORT, user, password, database: 'quasar' };
}

async function untilReachable(path: string, ended: Promise<unknown>): Promise<void> {
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  while (!gone) {
    const socket = connect(path);
    const reached = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (reached) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('PgBouncer did not start.');
}
