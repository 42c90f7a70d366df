import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readConfig } from '../../src/config/read-config.ts';
import { Closer } from '../../src/core/closer.ts';
import { silentLog } from '../../src/core/log.ts';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import { openAllInOne } from '../../src/roles/all-in-one.ts';
import { claimsAt, issuerKey, jwksOf, signJwt } from '../helpers/jwt-issuer.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Read at another time than the start, or by the check of the config alone. */
const ELSEWHERE = [
  'directory', // the screen that welcomes
  'http.behindTlsProxy', // demanded of http.host before anything starts
  'shutdown.drainMs', // the end
  'logging.level', // before everything else
  'logging.format',
];

/** Tells which leaves of an object were looked at, by their paths. */
function watched<T extends object>(value: T, seen: Set<string>, path = ''): T {
  return new Proxy(value, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver);
      if (typeof name !== 'string' || typeof found === 'function') return found;
      const at = path === '' ? name : `${path}.${name}`;
      if (isGroup(found)) return watched(found, seen, at);
      seen.add(at);
      return found;
    },
  });
}

function isGroup(value: unknown): value is object {
  return Object.getPrototypeOf(value ?? '') === Object.prototype;
}

function leavesOf(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return isGroup(inner) ? leavesOf(inner, at) : [at];
  });
}

t.test('every value of the config is looked at by what it is for', async (t) => {
  const folder = temporaryFolder(t);
  const directory = join(folder, 'config');
  mkdirSync(directory);
  const key = issuerKey('EdDSA');
  writeFileSync(join(directory, 'jwks.json'), jwksOf(key));
  const tokens = 'jwksFile = "./jwks.json", issuer = "https://id.example.org/", audience = quasar';
  writeFileSync(join(directory, 'quasar.conf'), `tokens { ${tokens} }\nrates.requestsPerKey = 50\n`);
  writeFileSync(join(directory, 'db.conf'), 'statementTimeout = 500ms\n');
  const { config } = await readConfig({ configDirectory: directory, flags: { data: join(folder, 'data'), port: 0 } });
  const seen = new Set<string>();
  const closer = new Closer();
  t.teardown(() => closer.close());
  const { edge, database } = await openAllInOne(watched(config, seen), silentLog, closer);
  const token = signJwt(key, { ...claimsAt(Date.now()), iss: 'https://id.example.org/', aud: 'quasar' });
  const headers = { authorization: `Bearer ${token}` };
  t.equal((await fetch(`http://127.0.0.1:${edge.port}/v1/principals/me`, { headers })).status, 401, 'its org is not there');
  t.strictSame(
    leavesOf(config).filter((leaf) => !seen.has(leaf) && !ELSEWHERE.includes(leaf)),
    [],
  );

  await t.test(
    'a change whose row somebody holds longer than statementTimeout is refused, and does not happen later',
    async (t) => {
      const bearer = readFileSync(join(folder, 'data', 'secrets', 'admin-key'), 'utf8').trim();
      const ask = (method: string, path: string, body?: unknown) =>
        fetch(`http://127.0.0.1:${edge.port}/v1/documents${path}`, {
          method,
          headers: {
            authorization: `Bearer ${bearer}`,
            'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        });
      const stored = (await (await ask('POST', '', 'held')).json()) as Record<string, string>;
      const { documentId = '', versionId = '' } = stored;
      const password = readFileSync(join(directory, 'secrets', 'postgres-password'), 'utf8').trim();
      const holder = new PostgresPool({ ...database.listenTarget, user: 'postgres', password, size: 1 });
      t.teardown(() => holder.close());
      await holder.withConnection(async ({ query }) => {
        await query('BEGIN');
        await query('SELECT FROM quasar.document WHERE id = $1 FOR UPDATE', [documentId]);
        const changes: [string, string, unknown][] = [
          ['DELETE', '', { reason: 'over' }],
          ['PUT', '/labels/filed', { versionId, expected: null }],
          ['PUT', '/hold', { reason: 'asked for' }],
          ['PUT', '/content', 'another version'],
        ];
        const answers = await Promise.all(changes.map(([method, path, body]) => ask(method, `/${documentId}${path}`, body)));
        for (const [n, answer] of answers.entries()) {
          t.equal(answer.status, 503, String(changes[n]));
          t.match(await answer.json(), { code: 'timeout' });
        }
        await query('ROLLBACK');
      });
      // Whatever still waited for the row comes before this change of ours.
      t.equal((await ask('PUT', `/${documentId}/labels/later`, { versionId, expected: null })).status, 200);
      const after = (await (await ask('GET', `/${documentId}`)).json()) as { current: object; hold: unknown };
      t.match(after, { current: { versionId, labels: ['CURRENT', 'later'] } });
      t.notOk(after.hold);
    },
  );
});
