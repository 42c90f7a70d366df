import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCommand } from './run-command.ts';
import { ScriptedServer } from './scripted-server.ts';

const ID = '0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d';
const WHO = '0192f3a7-6c1e-7d34-9a55-0c7f6a1b2c3d';
const ME = '0192f3aa-6c1e-7d34-9a55-0c7f6a1b2c3d';
const ORG = '0192f3ab-6c1e-7d34-9a55-0c7f6a1b2c3d';
const RULE = '0192f3d4-6c1e-7d34-9a55-0c7f6a1b2c3d';
const KEY = `quasar_${'0'.repeat(26)}_${'a'.repeat(39)}`;
const me = { 'GET /v1/principals/me': { status: 200, body: { principalId: ME, orgId: ORG } } };
const folder = temporaryFolder(t);

function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

t.test('what is wrong on the command line is told before a server is asked', async (t) => {
  const twice = file('twice.json', '{"rules":[{"effect":"deny","effect":"allow"}]}');
  const cases: [string[], RegExp][] = [
    [['acl', 'get', ID], new RegExp(`THING is not "${ID}"; write document:${ID} or folder:${ID}\\.`)],
    [['acl', 'get', 'case:1'], /THING is not "case:1"; write document:ID, folder:ID or org\./],
    [['acl', 'get', 'folder:x'], /THING must be a lower-case UUID\./],
    [['acl', 'add', 'org', 'forbid', 'doc.read', WHO], /EFFECT is allow or deny, not "forbid"\./],
    [['acl', 'add', 'org', 'deny', 'doc.read,', WHO], /ACTIONS is a list of words with commas between them/],
    [['acl', 'add', 'org', 'deny', 'doc.read', 'somebody'], /WHOM must be a lower-case UUID\./],
    [['acl', 'add', 'org', 'deny', 'doc.read'], /THING EFFECT ACTIONS WHOM… is missing\./],
    [['acl', 'rm', 'org', 'x'], /RULE must be a lower-case UUID\./],
    [['acl', 'set', 'org', twice], /twice\.json: .* twice/],
    [['acl', 'set', 'org', file('list.json', [])], /list\.json has no list "rules"\./],
    [['acl', 'set', 'org', file('more.json', { rules: [], rule: [] })], /more\.json has "rule"; known are version and rules\./],
    [['acl', 'set', 'org', file('half.json', { rules: [], version: 1.5 })], /The version in .*half\.json is no whole number\./],
    [['access', 'explain', 'org'], /--action is missing: a capability such as doc\.read\./],
    [['principal', 'set', ID, 'none', 'clerk'], /none stands alone/],
    [['principal', 'suspend', 'Clerk'], /PRINCIPAL must be a lower-case UUID\./],
    [['group', 'join', ID, 'group:me'], /MEMBER must be a lower-case UUID\./],
    [['folder', 'mv', ID, 'top'], /PARENT must be a lower-case UUID\./],
    [['folder', 'add', 'A case', '--in', 'top'], /--in must be a lower-case UUID\./],
    [['key', 'create', 'desk', '--scope', 'doc.read, ,'], /--scope is a list of words/],
    [['key', 'revoke', KEY], /KEY must be a lower-case UUID\./],
    [
      ['org', 'close', ID],
      /"quasar org" needs one more word: "quasar org ls", "quasar org add", "quasar org rm", "quasar org resume"\./,
    ],
  ];
  for (const [line, expected] of cases) {
    const { code, stderr } = await runCommand(line, { url: 'http://127.0.0.1:1' });
    t.equal(code, 2, line.join(' '));
    t.match(stderr, expected, line.join(' '));
  }
});

t.test('a rule is added to those that are there, against the version that was read', async (t) => {
  const old = { id: RULE, effect: 'allow', actions: ['doc.read'], principals: [WHO] };
  const added = { effect: 'deny', actions: ['doc.read', 'doc.write'], principals: [WHO, ME, ID] };
  const path = `/v1/documents/${ID}/acl`;
  const server = await ScriptedServer.start(t, {
    ...me,
    [`GET ${path}`]: { status: 200, body: { version: 3, rules: [old] } },
    [`PUT ${path}`]: { status: 200, body: { version: 4, rules: [old, { id: ID, ...added }] } },
  });
  const line = ['acl', 'add', `document:${ID}`, 'deny', 'doc.read,doc.write', WHO, 'me', `group:${ID}`];
  const { code, stdout, stderr } = await runCommand(line, { url: server.url });
  t.equal(code, 0, stderr);
  t.strictSame(server.seen.at(-1), { line: `PUT ${path}`, ifMatch: '"a-3"', body: { rules: [old, added] } });
  t.equal(
    stdout.toString(),
    `version: 4\n${RULE}  allow  doc.read  ${WHO}\n${ID}  deny   doc.read,doc.write  ${WHO} ${ME} ${ID}\n`,
  );
});

t.test('a rule is taken away by its id, and one that is not there changes nothing', async (t) => {
  const rules = [RULE, ID].map((id) => ({ id, effect: 'deny', actions: ['doc.read'], principals: [WHO] }));
  const path = `/v1/orgs/${ORG}/acl`;
  const server = await ScriptedServer.start(t, {
    ...me,
    [`GET ${path}`]: { status: 200, body: { version: 1, rules } },
    [`PUT ${path}`]: { status: 200, body: { version: 2, rules: [] } },
  });
  const missing = await runCommand(['acl', 'rm', 'org', RULE, WHO], { url: server.url });
  t.equal(missing.code, 2);
  t.match(missing.stderr, `org has no rule ${WHO}; nothing changed. "quasar acl get org" lists those it has.`);
  t.notOk(server.lines.includes(`PUT ${path}`));
  const removed = await runCommand(['acl', 'rm', 'org', RULE, ID], { url: server.url });
  t.equal(removed.stdout.toString(), 'version: 2\n');
  t.equal(removed.stderr, 'There are no rules here.\n');
  t.strictSame(server.seen.at(-1), { line: `PUT ${path}`, ifMatch: '"a-1"', body: { rules: [] } });
});

t.test('rules of a file replace those of the version it was made from, of --expect, or of now', async (t) => {
  const path = `/v1/folders/${ID}/acl`;
  const server = await ScriptedServer.start(t, {
    [`GET ${path}`]: { status: 200, body: { version: 9, rules: [] } },
    [`PUT ${path}`]: { status: 200, body: { version: 10, rules: [] } },
  });
  const conditionOf = async (content: unknown, ...flags: string[]) => {
    const stdin = Readable.from([Buffer.from(JSON.stringify(content))]);
    const { code, stderr } = await runCommand(['acl', 'set', `folder:${ID}`, '-', ...flags], { url: server.url, stdin });
    t.equal(code, 0, stderr);
    t.strictSame(server.seen.at(-1)?.body, { rules: [] });
    return server.seen.at(-1)?.ifMatch;
  };
  t.equal(await conditionOf({ version: 3, rules: [] }), '"a-3"');
  t.equal(await conditionOf({ version: 3, rules: [] }, '--expect', '0'), '"a-0"');
  t.notOk(server.lines.includes(`GET ${path}`), 'it is told what to expect');
  t.equal(await conditionOf({ rules: [] }), '"a-9"');
});

t.test('when somebody else changed the rules, nothing changes and the next step is told', async (t) => {
  const path = `/v1/folders/${ID}/acl`;
  const server = await ScriptedServer.start(t, {
    [`GET ${path}`]: { status: 200, body: { version: 3, rules: [] } },
    [`PUT ${path}`]: { status: 412, body: { code: 'rules_changed', details: { version: 5 } } },
  });
  const thing = `folder:${ID}`;
  const added = await runCommand(['acl', 'add', thing, 'allow', 'doc.read', WHO], { url: server.url });
  t.equal(added.code, 4);
  t.match(added.stderr, `The rules of ${thing} are at version 5, not at 3 any more; nothing changed. Type it again.`);
  const set = await runCommand(['acl', 'set', thing, file('old.json', { version: 2, rules: [] })], { url: server.url });
  t.equal(set.code, 4);
  t.match(set.stderr, `Get them anew with "quasar acl get ${thing} --json", and make your change in that.`);
});

t.test('a key goes to stdout, or to a new file that only its owner may read', async (t) => {
  const server = await ScriptedServer.start(t, { ...me, 'POST /v1/keys': { status: 201, body: { keyId: ID, key: KEY } } });
  const shown = await runCommand(['key', 'create', 'desk', '--principal', WHO, '--scope', 'doc.read,blob.read'], server);
  t.equal(shown.stdout.toString(), `${KEY}\n`);
  t.match(shown.stderr, `Key ${ID}; it is not shown again.`);
  t.strictSame(server.seen.at(-1)?.body, { principalId: WHO, name: 'desk', scope: ['doc.read', 'blob.read'] });
  const out = join(folder, 'clerk.key');
  const kept = await runCommand(['key', 'create', 'desk', '--out', out], server);
  t.equal(kept.stdout.toString(), `${ID}\n`);
  t.match(server.seen.at(-1)?.body, { principalId: ME });
  t.equal(readFileSync(out, 'utf8'), `${KEY}\n`);
  t.equal(statSync(out).mode & 0o777, 0o600);
  const asJson = await runCommand(['key', 'create', 'desk', '--out', `${out}2`, '--json'], server);
  t.strictSame(asJson.json, [{ keyId: ID, keyFile: `${out}2` }]);
  const requests = server.seen.length;
  const again = await runCommand(['key', 'create', 'desk', '--principal', WHO, '--out', out], server);
  t.equal(again.code, 2);
  t.match(again.stderr, `${out} is there already; a key goes to a new file.`);
  t.equal(server.seen.length, requests, 'no key is made that cannot be kept');
});

t.test('no file is left when no key was made, and what would be given too much is named', async (t) => {
  const refusal = { code: 'forbidden', title: 'The credentials do not allow this.', details: { missing: ['key.admin'] } };
  const server = await ScriptedServer.start(t, { ...me, 'POST /v1/keys': { status: 403, body: refusal } });
  const out = join(folder, 'none.key');
  const { code, stderr } = await runCommand(['key', 'create', 'desk', '--scope', 'key.admin', '--out', out], server);
  t.equal(code, 2);
  t.match(stderr, 'The credentials do not allow this. You do not have yourself: key.admin.');
  t.notOk(existsSync(out));
});

t.test('what would be made twice is sent again only while the server is busy', async (t) => {
  const busy = { status: 429, body: { code: 'rate_limited' } };
  const made = { status: 201, body: { groupId: ID, name: 'Fourth chamber' } };
  const server = await ScriptedServer.start(t, { 'POST /v1/groups': [busy, made, 'lost'] });
  const added = await runCommand(['group', 'add', 'Fourth chamber'], server);
  t.equal(added.stdout.toString(), `${ID}\n`);
  t.equal(added.waits.length, 1);
  const lost = await runCommand(['group', 'add', 'Fourth chamber'], server);
  t.equal(lost.code, 5);
  t.match(lost.stderr, 'Whether it was done, "quasar group ls" shows.');
  t.equal(server.lines.length, 3);
});

t.test('members join and leave one by one, groups by group:ID', async (t) => {
  const at = (id: string) => `/v1/groups/${ID}/members/${id}`;
  const joined = { status: 200, body: {} };
  const server = await ScriptedServer.start(t, {
    ...me,
    [`PUT ${at(WHO)}`]: joined,
    [`PUT ${at(ME)}`]: joined,
    [`PUT ${at(RULE)}`]: joined,
    [`DELETE ${at(WHO)}`]: { status: 204 },
    [`GET /v1/groups/${ID}/members?limit=100`]: {
      status: 200,
      body: {
        items: [
          { kind: 'principal', id: ME },
          { kind: 'group', id: RULE },
        ],
        nextCursor: null,
      },
    },
  });
  const join = await runCommand(['group', 'join', ID, WHO, 'me', `group:${RULE}`], server);
  t.equal(join.code, 0, join.stderr);
  const puts = server.seen.filter(({ line }) => line.startsWith('PUT'));
  t.strictSame(
    puts.map(({ line, body }) => [line, body]),
    [
      [`PUT ${at(WHO)}`, { kind: 'principal' }],
      [`PUT ${at(ME)}`, { kind: 'principal' }],
      [`PUT ${at(RULE)}`, { kind: 'group' }],
    ],
  );
  t.equal((await runCommand(['group', 'leave', ID, WHO], server)).stdout.toString(), `${WHO} does not belong to ${ID}.\n`);
  t.equal((await runCommand(['group', 'members', ID], server)).stdout.toString(), `${ME}\ngroup:${RULE}\n`);
});

t.test('an explanation is printed line by line, and cannot command the terminal', async (t) => {
  const path = `/v1/documents/${ID}/access?principal=${ME}&action=doc.read`;
  const body = { allowed: false, lines: [`May principal ${ME} doc.read?`, 'Denied\u001b[2J.'] };
  const server = await ScriptedServer.start(t, { ...me, [`GET ${path}`]: { status: 200, body } });
  const { code, stdout } = await runCommand(['access', 'explain', `document:${ID}`, '--action', 'doc.read'], server);
  t.equal(code, 0);
  t.equal(stdout.toString(), `May principal ${ME} doc.read?\nDenied\\u{1b}[2J.\n`);
});

t.test('an explanation is asked for with a key, with a scope, or of a past event, and of one of them', async (t) => {
  const body = { lines: ['so'] };
  const paths = [
    `/v1/documents/${ID}/access?key=${WHO}&action=doc.read`,
    `/v1/documents/${ID}/access?principal=${WHO}&scope=doc.read%2Cblob.read&action=doc.read`,
    `/v1/audit/decisions/${WHO}`,
    '/v1/audit/decisions/4711',
  ];
  const answers = Object.fromEntries(paths.map((path) => [`GET ${path}`, { status: 200, body }]));
  const server = await ScriptedServer.start(t, { ...me, ...answers });
  const asked = ['access', 'explain', `document:${ID}`, '--action', 'doc.read'];
  for (const line of [
    [...asked, '--key', WHO],
    [...asked, '--principal', WHO, '--scope', 'doc.read, blob.read'],
    ['access', 'explain', '--event', WHO],
    ['access', 'explain', '--event', '4711'],
  ]) {
    t.match(await runCommand(line, server), { code: 0 }, line.join(' '));
  }
  for (const [line, message] of [
    [[...asked, '--key', WHO, '--scope', 'doc.read'], /--key has its own scope/],
    [[...asked, '--event', '4711'], /leave out THING/],
    [['access', 'explain', '--event', '4711', '--key', WHO], /leave out --key/],
    [['access', 'explain', '--event', 'last'], /not "last"/],
    [['access', 'explain', '--action', 'doc.read'], /THING is missing/],
    [['access', 'explain', `document:${ID}`], /--action is missing/],
  ] as const) {
    t.match(await runCommand(line, server), { code: 2, stderr: message }, line.join(' '));
  }
});

t.test('what the server refuses is told with whom or what it is about', async (t) => {
  const path = `/v1/folders/${ID}/acl`;
  const refused = (status: number, code: string, details: unknown, detail?: string) => ({
    status,
    body: { code, detail, details },
  });
  const server = await ScriptedServer.start(t, {
    [`GET ${path}`]: { status: 200, body: { version: 3, rules: [] } },
    [`PUT ${path}`]: [
      refused(422, 'subject_not_found', { subjectId: WHO, pointer: '/rules/0/principals' }),
      refused(
        400,
        'capability_unknown',
        { pointer: '/rules/0/actions/0' },
        '"doc.raed" is no capability; did you mean doc.read?',
      ),
    ],
  });
  const unknown = await runCommand(['acl', 'add', `folder:${ID}`, 'deny', 'doc.read', WHO], server);
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, `The organisation has no such principal or group. It is ${WHO}.`);
  const rules = [{ effect: 'deny', actions: ['doc.raed'], principals: [WHO] }];
  const path2 = file('mistyped.json', { version: 3, rules });
  const mistyped = await runCommand(['acl', 'set', `folder:${ID}`, path2], server);
  t.equal(mistyped.code, 2);
  t.match(mistyped.stderr, `${path2} at /rules/0/actions/0: "doc.raed" is no capability; did you mean doc.read?`);
});

t.test('a document is retained, held and disposed of with a reason', async (t) => {
  const path = `/v1/documents/${ID}`;
  const kept = {
    code: 'version_conflict',
    detail: 'The document is to be kept for longer.',
    details: { retainUntil: '2056-12-31' },
  };
  const server = await ScriptedServer.start(t, {
    [`PUT ${path}/retention`]: { status: 200, body: {} },
    [`PUT ${path}/hold`]: { status: 200, body: {} },
    [`DELETE ${path}/hold`]: { status: 204 },
    [`DELETE ${path}`]: [{ status: 409, body: kept }, { status: 204 }],
  });
  const until = '2056-12-31T23:59:59Z';
  t.equal((await runCommand(['retain', ID, until], server)).stdout.toString(), `${ID} is kept until ${until} at least.\n`);
  t.strictSame(server.seen.at(-1)?.body, { retainUntil: until });
  for (const line of [
    ['hold', ID],
    ['hold', ID, '--release'],
    ['dispose', ID],
  ]) {
    const { code, stderr } = await runCommand(line, server);
    t.equal(code, 2);
    t.match(stderr, '--reason is missing: why?');
  }
  t.equal((await runCommand(['hold', ID, '--reason', 'Appeal'], server)).stdout.toString(), `${ID} is under a hold.\n`);
  t.match(await runCommand(['hold', ID, '--release', '--reason', 'Over'], server), { code: 0 });
  const early = await runCommand(['dispose', ID, '--reason', 'Over'], server);
  t.equal(early.code, 4);
  t.match(early.stderr, 'The document is to be kept for longer. It is kept until 2056-12-31.');
  t.equal((await runCommand(['dispose', ID, '--reason', 'Over'], server)).stdout.toString(), `${ID} is disposed of.\n`);
  t.strictSame(server.seen.at(-1), { line: `DELETE ${path}`, ifMatch: undefined, body: { reason: 'Over' } });
});
