import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { readDatabaseTls } from '../../src/config/database-tls.ts';
import { type DatabaseAddress, parseDatabaseUrl } from '../../src/config/database-url.ts';
import { silentLog } from '../../src/core/log.ts';
import { prepareBinaries } from '../../src/database/embedded-postgres-binaries.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { clusterArgument, ServerProcess } from '../../src/database/server-process.ts';
import { chooseServerUser } from '../../src/database/server-user.ts';
import { openTestDatabase, TEST_PASSWORD } from '../helpers/postgres.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Self-made authorities and certificates: `ca` signed that of the server for localhost, and that of a client; `other` none. */
const folder = temporaryFolder(t);
const file = (name: string) => join(folder, name);
chmodSync(folder, 0o755);

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function makeAuthority(name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes'];
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    ...subject,
    '-keyout',
    file(`${name}.key`),
    '-out',
    file(`${name}.pem`),
  );
}

function makeCertificate(name: string, commonName: string, alternative: string): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', ...curve, '-subj', `/CN=${commonName}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`));
  writeFileSync(file('extensions'), `subjectAltName=${alternative}\n`);
  const signer = [
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    file('extensions'),
  ];
  openssl('x509', '-req', '-in', file(`${name}.csr`), ...signer, '-out', file(`${name}.pem`));
}

for (const name of ['ca', 'other']) makeAuthority(name);
makeCertificate('server', 'localhost', 'DNS:localhost');
makeCertificate('client', 'quasar_app', 'DNS:client');

const port = await freePort();
const user = await chooseServerUser(join(folder, 'nothing'));
copyFileSync(file('server.key'), file('server-own.key'));
chmodSync(file('server-own.key'), 0o600);
if (user !== undefined) chownSync(file('server-own.key'), user.uid, user.gid);
const { database, dataDirectory } = await openTestDatabase(t);
await database.close();
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  ssl: 'on',
  ssl_cert_file: file('server.pem'),
  ssl_key_file: file('server-own.key'),
  ssl_ca_file: file('ca.pem'),
};
const clusterDirectory = join(dataDirectory, 'cluster');
const server = await ServerProcess.start(
  {
    program: (await prepareBinaries(user)).postgres,
    args: [
      '-D',
      clusterArgument(clusterDirectory),
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    clusterDirectory,
    user,
  },
  silentLog,
);
t.teardown(() => server.stop());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: free } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Whether the connection such a URL makes is encrypted, and with whose certificate; or why there is none. */
async function reach(options: string, host = 'localhost'): Promise<unknown> {
  const address = parseDatabaseUrl(`postgres://postgres:${TEST_PASSWORD}@${host}:${port}/quasar${options}`) as DatabaseAddress;
  const pool = new PostgresPool({ ...address, tls: await readDatabaseTls(address, folder), size: 1, guarded: true });
  try {
    const text = 'SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    return (await pool.query(text)).rows[0];
  } catch (error) {
    return (error as { cause: Error }).cause.message;
  } finally {
    await pool.close();
  }
}

t.test('what sslmode asks for is what the connection has', async (t) => {
  const clear = { ssl: false };
  const encrypted = { ssl: true, client_dn: null };
  for (const [options, expected] of [
    ['', clear],
    ['?sslmode=disable', clear],
    ['?sslmode=require', encrypted],
    ['?sslmode=require&sslrootcert=ca.pem', encrypted],
    ['?sslmode=require&sslrootcert=other.pem', /certificate/],
    ['?sslmode=verify-ca&sslrootcert=ca.pem', encrypted],
    ['?sslmode=verify-ca&sslrootcert=other.pem', /certificate/],
    ['?sslmode=verify-ca', /certificate/],
    ['?sslmode=verify-full&sslrootcert=ca.pem', encrypted],
    ['?sslmode=verify-full&sslrootcert=other.pem', /certificate/],
    ['?sslmode=verify-full', /certificate/],
    ['?sslmode=verify-full&sslrootcert=system', /certificate/],
    ['?sslmode=verify-full&sslrootcert=ca.pem&sslcert=client.pem&sslkey=client.key', { ssl: true, client_dn: '/CN=quasar_app' }],
  ] as const) {
    t.match(await reach(options), expected, options);
  }
  t.match(
    await reach('?sslmode=verify-full&sslrootcert=ca.pem', '127.0.0.1'),
    /IP|altnames/,
    'the certificate is for another host',
  );
  t.match(await reach('?sslmode=verify-ca&sslrootcert=ca.pem', '127.0.0.1'), encrypted);
});

t.test('a server without TLS is not spoken to when TLS is asked for', async (t) => {
  const plain = createServer((socket) => socket.once('data', () => socket.end('N'))).listen(0, '127.0.0.1');
  await new Promise((resolve) => plain.once('listening', resolve));
  t.teardown(() => new Promise<void>((resolve) => plain.close(() => resolve())));
  const target = { host: '127.0.0.1', port: (plain.address() as { port: number }).port, user: 'u', password: 'p', database: 'd' };
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    const address = parseDatabaseUrl(`postgres://u:p@127.0.0.1:${target.port}/d?sslmode=${mode}`) as DatabaseAddress;
    const pool = new PostgresPool({ ...address, tls: await readDatabaseTls(address, folder), size: 1 });
    await t.rejects(pool.query('SELECT 1'), { code: 'database_unavailable', cause: { message: /does not support SSL/ } }, mode);
    await pool.close();
  }
});

t.test('a statement on an encrypted connection is cancelled like any other', async (t) => {
  const address = parseDatabaseUrl(
    `postgres://postgres:${TEST_PASSWORD}@localhost:${port}/quasar?sslmode=require`,
  ) as DatabaseAddress;
  const tls = await readDatabaseTls(address, folder);
  const pool = new PostgresPool({ ...address, tls, size: 1, statementMs: 100, graceMs: 300, guarded: true });
  t.teardown(() => pool.close());
  const slow = pool.withConnection(({ query }) => query('SELECT pg_sleep(20)'));
  await t.rejects(slow, { code: 'timeout' });
});

t.test('files that cannot be used are refused by name', async (t) => {
  chmodSync(file('client.key'), 0o644);
  for (const [options, message] of [
    ['sslrootcert=absent.pem', /sslrootcert .*absent\.pem cannot be read \(ENOENT\)/],
    ['sslrootcert=extensions', /sslrootcert .*extensions is not a PEM file/],
    ['sslcert=client.pem&sslkey=client.key', /others may read sslkey .*chmod 600/],
    ['sslcert=client.pem&sslkey=absent.key', /sslkey .*absent\.key cannot be read/],
  ] as const) {
    const address = parseDatabaseUrl(`postgres://u@h/d?sslmode=verify-full&${options}`) as DatabaseAddress;
    await t.rejects(readDatabaseTls(address, folder), { code: 'config_invalid', message });
  }
});
