import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Answered, ask, type Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus, type Person, personWith } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';
import { openProductDatabase } from '../helpers/product-database.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { runCommand } from '../unit/cli/run-command.ts';

/** The way back into orgs that nobody can administer any more: one by its rules, one by its keys. */

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const folder = temporaryFolder(t);
let product = await Product.start();
const { data } = product;
t.teardown(() => product.destroy());

const admin = await administratorOf(product);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
const tenant = expectStatus(await admin.ask('POST', '/v1/orgs', { body: { name: 'Court of Kassel' } }), 201);
const tenantAdmin = personWith(product, tenant as { principalId: string; keyId: string; key: string });
const kept = expectStatus(await tenantAdmin.ask('POST', '/v1/documents', { body: 'a page of the tenant' }), 201);
const page = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'a page' }), 201);

/** Rules as versions of Quasar that refused none of them left them. */
async function lockOut(principalId: string): Promise<void> {
  const database = await openProductDatabase(product);
  const places = [
    ['org', orgId],
    ['document', page.documentId],
  ] as const;
  try {
    for (const [kind, id] of places) {
      const place = [orgId, kind, id];
      await database.query(
        'INSERT INTO quasar.rule_set (org_id, place_kind, place_id, version, changed_by, changed_at) VALUES ($1, $2, $3, 1, $4, now())',
        [...place, principalId],
      );
      await database.query(
        `INSERT INTO quasar.access_rule (org_id, place_kind, place_id, version, n, id, effect, actions, principals)
         VALUES ($1, $2, $3, 1, 1, gen_random_uuid(), 'deny', 262143, ARRAY[$4::uuid])`,
        [...place, principalId],
      );
    }
  } finally {
    await database.close();
  }
}

interface Typed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As root would, on the server's host. */
async function recover(...more: string[]): Promise<Typed> {
  const child = spawn(process.execPath, [MAIN, 'access', 'recover', '--data', data, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code: code as number | null, stdout, stderr };
}

const keyIn = (path: string) => readFileSync(path, 'utf8').trimEnd();

function withKey(path: string): Person {
  const key = keyIn(path);
  const headers = { authorization: `Bearer ${key}` };
  const asked = (method: string, route: string, request: { body?: unknown; headers?: Readonly<Record<string, string>> } = {}) =>
    ask(product, method, route, { ...request, headers: { ...headers, ...request.headers } });
  return { principalId: '', keyId: '', key, ask: asked };
}

async function recovered(person: Person): Promise<Json[]> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    const log: Answered = await person.ask('GET', '/v1/audit/events?action=org.recover&limit=100');
    const events = (expectStatus(log, 200).items as { event: Json }[]).map(({ event }) => event);
    if (events.length > 0) return events;
    await sleep(50);
  }
  throw new Error('no org.recover in the log');
}

t.test('an org is locked out by its rules, another by its keys', async (t) => {
  await lockOut(admin.principalId);
  await admin.ask('GET', '/v1/principals/me');
  for (let waited = 0; (await admin.ask('GET', '/v1/principals')).status !== 403; waited += 50) {
    if (waited > 5000) throw new Error('the rules are not heard of');
    await sleep(50);
  }
  t.equal(
    (await admin.ask('PUT', `/v1/orgs/${orgId}/acl`, { body: { rules: [] }, headers: { 'if-match': '"a-1"' } })).status,
    403,
  );
  t.equal((await tenantAdmin.ask('DELETE', `/v1/keys/${tenant.keyId}`)).status, 204, 'a key may revoke itself');
  t.equal((await tenantAdmin.ask('GET', '/v1/principals/me')).status, 401);
});

t.test('nothing is recovered beside a running server, nor where none is', async (t) => {
  const { code, stderr } = await recover();
  t.equal(code, 5);
  t.match(stderr, /A server is using .*Stop it, recover, then start it again/);
  const elsewhere = await recover('--data', folder);
  t.equal(elsewhere.code, 5);
  t.match(elsewhere.stderr, /is no data folder of a server/);
});

t.test('with the server stopped each org gets an administrator and a key for its owner alone', async (t) => {
  await product.stop();
  const own = await recover('--reason', 'J. Doe: locked out by a rule', '--json');
  t.equal(own.code, 0, own.stderr);
  const path = join(data, 'secrets', 'recovered-key');
  t.match(JSON.parse(own.stdout), { orgId, org: 'local', suspended: false, keyFile: path });
  t.notMatch(own.stdout, keyIn(path), 'the key is in the file alone');
  t.equal(statSync(path).mode & 0o777, 0o600);

  const again = await recover();
  t.equal(again.code, 2);
  t.match(again.stderr, /is there already; a key goes to a new file/);
  const nobody = await recover('--org', 'Court of Nowhere', '--out', join(folder, 'nobody.key'));
  t.equal(nobody.code, 3);
  t.throws(() => statSync(join(folder, 'nobody.key')), 'no key, no file');
  const other = await recover('--org', 'Court of Kassel', '--out', join(folder, 'tenant.key'));
  t.equal(other.code, 0, other.stderr);
  product = await Product.start({ data });
});

t.test('the recovered administrator undoes what locked the others out', async (t) => {
  const rescuer = withKey(join(data, 'secrets', 'recovered-key'));
  for (const path of [`/v1/documents/${page.documentId}`, `/v1/orgs/${orgId}`]) {
    const { rules } = expectStatus(await rescuer.ask('GET', `${path}/acl`), 200);
    t.match(rules, [{ effect: 'deny', principals: [admin.principalId] }], 'nothing was taken away before');
    const none = { body: { rules: [] }, headers: { 'if-match': '"a-1"' } };
    t.equal((await rescuer.ask('PUT', `${path}/acl`, none)).status, 200);
  }
  t.equal((await ask(product, 'GET', '/v1/principals')).status, 200, 'the first administrator is back');
  const { principalId } = expectStatus(await rescuer.ask('GET', '/v1/principals/me'), 200);
  const suspended = await ask(product, 'DELETE', `/v1/principals/${principalId}`);
  t.equal(suspended.status, 204, 'and lets the other one go');
});

t.test('the tenant works again, with all it had, and nobody learns of it elsewhere', async (t) => {
  const rescuer = withKey(join(folder, 'tenant.key'));
  t.equal((await rescuer.ask('GET', `/v1/documents/${kept.documentId}/content`)).text, 'a page of the tenant');
  t.equal((await rescuer.ask('GET', `/v1/documents/${page.documentId}`)).status, 404);
  const made = await rescuer.ask('POST', '/v1/keys', { body: { name: 'again', principalId: tenant.principalId } });
  t.equal(made.status, 201);
});

t.test('the logs of both say so, and verify', async (t) => {
  const by = { kind: 'system', id: 'access-recover' };
  const ofTenant = await recovered(withKey(join(folder, 'tenant.key')));
  t.match(ofTenant, [{ principal: by, resource: { kind: 'org', id: tenant.orgId } }]);
  const ofOperator = await recovered(await administratorOf(product));
  t.match(ofOperator, [
    { principal: by, resource: { id: tenant.orgId } },
    { principal: by, resource: { id: orgId }, detail: { reason: 'J. Doe: locked out by a rule' } },
  ]);

  const key = join(folder, 'log.key');
  const run = (...line: string[]) => runCommand(line, { url: product.url, keyFile: product.keyFile });
  writeFileSync(key, (await run('audit', 'key')).stdout);
  const page = expectStatus(await ask(product, 'GET', '/v1/audit/events?action=org.recover'), 200);
  const { leaf } = (page.items as { leaf: number }[])[0] as { leaf: number };
  // Heads are signed every few seconds.
  for (let attempt = 0, signedSize = 0; signedSize <= leaf; attempt++) {
    const log = join(folder, `log-${attempt}.ndjson`);
    t.equal((await run('audit', 'export', log)).code, 0);
    const verified = await run('audit', 'verify', log, '--key', key, '--allow-unsigned', '1000', '--json');
    t.equal(verified.code, 0, verified.stdout.toString() + verified.stderr);
    signedSize = verified.json[0]?.signedSize as number;
    if (attempt > 30) throw new Error('no head covers what was recovered');
    if (signedSize <= leaf) await sleep(500);
  }
});
