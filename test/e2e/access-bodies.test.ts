import t, { type Test } from 'tap';
import { ask, type Json } from '../helpers/ask.ts';
import { administratorOf, expectStatus } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200) as { orgId: string };
const make = async (path: string, body: object) => expectStatus(await admin.ask('POST', path, { body }), 201);
const { groupId } = await make('/v1/groups', { name: 'a group' });
const { folderId } = await make('/v1/folders', { name: 'a folder' });
const { principalId } = await make('/v1/principals', { kind: 'service', name: 'a principal' });
const { documentId } = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'bytes' }), 201);

/** A route with a body, a good body of which each field is spoilt in turn, and the fields that may be absent. */
interface BodyRoute {
  readonly method: string;
  readonly path: string;
  readonly good: Readonly<Record<string, unknown>>;
  readonly optional?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

const later = '2099-01-01T00:00:00.000Z';
const ifMatch = { 'if-match': '"a-0"' };
const rules = [{ effect: 'deny', actions: ['doc.read'], principals: [principalId] }];
const routes: readonly BodyRoute[] = [
  { method: 'POST', path: '/v1/orgs', good: { name: 'spoilt' } },
  { method: 'PUT', path: `/v1/orgs/${orgId}`, good: { suspended: false } },
  {
    method: 'POST',
    path: '/v1/principals',
    good: { kind: 'user', name: 'spoilt', subject: 's', roles: [] },
    optional: ['subject', 'roles'],
  },
  {
    method: 'PUT',
    path: `/v1/principals/${principalId}`,
    good: { roles: [], suspended: false },
    optional: ['roles', 'suspended'],
  },
  { method: 'POST', path: '/v1/groups', good: { name: 'spoilt' } },
  { method: 'PUT', path: `/v1/groups/${groupId}/members/${principalId}`, good: { kind: 'principal' }, optional: ['kind'] },
  {
    method: 'POST',
    path: '/v1/folders',
    good: { name: 'spoilt', parentId: folderId, caseNumber: '1' },
    optional: ['parentId', 'caseNumber'],
  },
  { method: 'PUT', path: `/v1/folders/${folderId}`, good: { parentId: null } },
  { method: 'PUT', path: `/v1/documents/${documentId}/folder`, good: { folderId: null } },
  {
    method: 'POST',
    path: '/v1/keys',
    good: { name: 'spoilt', principalId, scope: ['doc.read'], expiresAt: later },
    optional: ['principalId', 'scope', 'expiresAt'],
  },
  { method: 'POST', path: '/v1/tokens/revoke', good: { jti: 'spoilt', expiresAt: later } },
  { method: 'PUT', path: `/v1/documents/${documentId}/acl`, good: { rules }, headers: ifMatch },
  { method: 'PUT', path: `/v1/folders/${folderId}/acl`, good: { rules }, headers: ifMatch },
  { method: 'PUT', path: `/v1/orgs/${orgId}/acl`, good: { rules }, headers: ifMatch },
];

const ofWrongType = [7, -0.5, true, {}, [[]], [7], [null], [{}], ''];
/** JSON texts that no field of any of these routes takes. */
const spoiltTexts: Readonly<Record<string, string>> = {
  'a lone surrogate': '"\\ud800"',
  NUL: '"a\\u0000b"',
  'a control': '"a\\u0007"',
  'a huge text': JSON.stringify('x'.repeat(60_000)),
  'a number beyond 2^53': '9007199254740993',
  __proto__: '{"__proto__": {"name": "x"}}',
};

async function refused(t: Test, route: BodyRoute, text: string, what: string): Promise<Json> {
  const headers = { 'content-type': 'application/json', ...route.headers };
  const answer = await admin.ask(route.method, route.path, { body: text, headers });
  t.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
  return answer.status === 204 ? {} : answer.json();
}

for (const route of routes) {
  const name = `${route.method} ${route.path.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')}`;
  const without = (field: string) => Object.fromEntries(Object.entries(route.good).filter(([name]) => name !== field));

  t.test(`${name} refuses what is no object of its fields`, async (t) => {
    for (const body of ['null', '[]', '7', '"x"', 'true', '{', '', '{"a":1,"a":2}', '\ud83d']) {
      if (body === '' && route.optional?.length === Object.keys(route.good).length && route.method === 'PUT') continue;
      await refused(t, route, body, body);
    }
    t.match(await refused(t, route, JSON.stringify({ ...route.good, other: 1 }), 'an unknown field'), { code: 'bad_body' });
    await refused(t, route, `{"__proto__": {}, ${JSON.stringify(route.good).slice(1)}`, '__proto__ beside the fields');
    await refused(t, route, JSON.stringify({ ...route.good, other: 'x'.repeat(300_000) }), 'more than a body may hold');
  });

  for (const field of Object.keys(route.good)) {
    t.test(`${name} refuses what ${field} cannot be`, async (t) => {
      const good = route.good[field];
      for (const value of ofWrongType.filter((value) => typeof value !== typeof good || value === '' || Array.isArray(good))) {
        if (Array.isArray(good) && JSON.stringify(value) === JSON.stringify(good)) continue;
        await refused(t, route, JSON.stringify({ ...route.good, [field]: value }), JSON.stringify(value));
      }
      for (const [what, text] of Object.entries(spoiltTexts)) {
        const others = JSON.stringify(without(field)).slice(1, -1);
        await refused(t, route, `{${others}${others === '' ? '' : ','}${JSON.stringify(field)}: ${text}}`, what);
      }
      if (route.optional?.includes(field)) return;
      const missing = await refused(t, route, JSON.stringify(without(field)), 'absent');
      t.match(missing, { code: 'bad_parameter', details: { parameter: field } });
    });
  }
}

t.test('names are one line in one form', async (t) => {
  const names = [' x', 'x ', 'a\nb', 'e\u0301', 'x'.repeat(201), '\u202egnp.exe', '\u2028', '\t'];
  for (const name of names) {
    const answer = await admin.ask('POST', '/v1/groups', { body: { name } });
    t.match(answer.json(), { code: 'bad_parameter', details: { parameter: 'name' } }, encodeURI(name.slice(0, 9)));
  }
  const longest = '\u{1f5c4}'.repeat(200);
  t.equal(expectStatus(await admin.ask('POST', '/v1/groups', { body: { name: longest } }), 201).name, longest);
  t.equal((await admin.ask('POST', '/v1/groups', { body: { name: longest } })).json().code, 'name_taken');
});

t.test('what is wrong in a list of rules is pointed at', async (t) => {
  const good = { effect: 'allow', actions: ['doc.read'], principals: [principalId] };
  const absent = '00000000-0000-7000-8000-000000000000';
  const table: [unknown, string, string][] = [
    [{}, 'access_rules_invalid', '/rules'],
    [[7], 'access_rules_invalid', '/rules/0'],
    [[good, { ...good, effect: 'maybe' }], 'access_rules_invalid', '/rules/1/effect'],
    [[{ ...good, actions: [] }], 'access_rules_invalid', '/rules/0/actions'],
    [[{ ...good, actions: ['doc.read', 'doc.raed'] }], 'capability_unknown', '/rules/0/actions/1'],
    [[{ ...good, principals: ['me'] }], 'access_rules_invalid', '/rules/0/principals/0'],
    [[{ ...good, id: absent }], 'access_rules_invalid', '/rules/0/id'],
    [[{ ...good, other: 1 }], 'access_rules_invalid', '/rules/0'],
    [Array.from({ length: 257 }, () => good), 'access_rules_invalid', '/rules'],
    [[good, { ...good, principals: [principalId, absent] }], 'subject_not_found', '/rules/1/principals'],
  ];
  for (const [list, code, pointer] of table) {
    const answer = await admin.ask('PUT', `/v1/folders/${folderId}/acl`, { body: { rules: list }, headers: ifMatch });
    t.equal(answer.status, 422, pointer);
    t.match(answer.json(), { code, details: { pointer } });
  }
  t.match((await admin.ask('GET', `/v1/folders/${folderId}/acl`)).json(), { version: 0, rules: [] });
});

t.test('taken names and subjects, and times that have passed, are refused', async (t) => {
  const principal = (body: object) => admin.ask('POST', '/v1/principals', { body: { kind: 'user', ...body } });
  t.equal((await principal({ name: 'one', subject: 'sub' })).status, 201);
  t.equal((await principal({ name: 'one' })).json().code, 'name_taken');
  t.equal((await principal({ name: 'two', subject: 'sub' })).json().code, 'subject_taken');
  const body = { name: 'x', expiresAt: '2020-01-01T00:00:00.000Z' };
  t.match((await admin.ask('POST', '/v1/keys', { body })).json(), { details: { parameter: 'expiresAt' } });
  t.equal((await admin.ask('POST', '/v1/keys', { body: { name: 'x', scope: ['doc.raed'] } })).json().code, 'capability_unknown');
  t.equal((await admin.ask('POST', '/v1/tokens/revoke', { body: { jti: 'j', expiresAt: later } })).status, 204);
});

t.test('ids in paths and queries are ids', async (t) => {
  const paths = [
    ['DELETE', '/v1/orgs/x'],
    ['GET', '/v1/orgs/x/acl'],
    ['PUT', '/v1/principals/x'],
    ['DELETE', '/v1/groups/x'],
    ['PUT', `/v1/groups/${groupId}/members/x`],
    ['GET', '/v1/folders/x'],
    ['GET', '/v1/folders?parent=x'],
    ['GET', '/v1/folders/x/acl'],
    ['DELETE', '/v1/keys/x'],
    ['GET', '/v1/keys?principal=x'],
    ['GET', `/v1/documents/${documentId}/access?principal=x&action=doc.read`],
    ['GET', '/v1/groups?limit=0'],
    ['GET', '/v1/groups?cursor=x'],
    ['GET', `/v1/documents/${documentId}/acl/changes?cursor=x`],
  ] as const;
  for (const [method, path] of paths) {
    const answer = await ask(product, method, path, method === 'PUT' ? { body: { roles: [] } } : {});
    t.equal(answer.status, 400, `${method} ${path}`);
    t.equal(answer.json().code, path.includes('members/x') ? answer.json().code : 'bad_parameter', path);
  }
});
