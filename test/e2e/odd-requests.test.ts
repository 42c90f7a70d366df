import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { routes } from '../../src/http/routes.ts';
import { ask, type Json } from '../helpers/ask.ts';
import { eventsOfRequest } from '../helpers/audited.ts';
import { administratorOf, expectStatus, makePerson } from '../helpers/people.ts';
import { Product } from '../helpers/product.ts';
import { type RawAnswer, RawClient } from '../helpers/raw-http.ts';

const product = await Product.start();
t.teardown(() => product.destroy());
const admin = await administratorOf(product);
const reader = await makePerson(product, admin, { name: 'reader', roles: ['reader'] });
const stored = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'bytes' }), 201);
const id = stored.documentId as string;
const document = `/v1/documents/${id}`;
const { folderId } = expectStatus(await admin.ask('POST', '/v1/folders', { body: { name: 'a folder' } }), 201);
const { orgId } = expectStatus(await admin.ask('GET', '/v1/principals/me'), 200);
const absent = '00000000-0000-7000-8000-000000000000';

/** One request as it stands, with the administrator's key, on a connection of its own. */
async function sendRaw(target: string, { method = 'GET', headers = '' } = {}): Promise<RawAnswer | undefined> {
  const client = await RawClient.connect(product.port);
  client.send(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${product.keyLine}${headers}\r\n`);
  const answer = await client.answer({ head: method === 'HEAD' });
  client.destroy();
  return answer;
}

async function expectUnharmed(): Promise<void> {
  const answer = await admin.ask('GET', `${document}/content`);
  if (answer.status !== 200 || answer.text !== 'bytes') throw new Error(`${answer.status} ${answer.text}`);
}

t.test('an id is an id, without parameters, dots, slashes or bytes that could be read in another way', async (t) => {
  for (const target of [
    `/v1/documents/%2e%2e%2forgs`,
    `/v1/documents/%2e%2e/orgs`,
    `/v1/documents/..%2forgs`,
    `${document}%00`,
    `${document}%00.pdf`,
    `${document}%0d%0aX:%20y`,
    `/v1/documents/%c0%ae%c0%ae`,
    `/v1/documents/%c0%af${id}`,
    `/v1/documents/%e0%80%af${id}`,
    `${document};jsessionid=1`,
    `${document};/content`,
    `${document}%3bx=y`,
    `${document}%2fcontent`,
    `${document}%20`,
    `/v1/documents/${id.toUpperCase()}/content`,
    `/v1/documents/%7b${id}%7d`,
    `/v1/documents/${id.replaceAll('-', '')}`,
    `/v1/blobs/b3:..%2f..%2fetc%2fpasswd`,
    `/v1/uploads/${id};x/bytes`,
  ]) {
    t.equal((await sendRaw(target))?.status, /\/bytes$/.test(target) ? 405 : 400, target);
  }
  for (const target of [
    '/v1;x/documents',
    '/v1/documents;x',
    `/v1//documents/${id}`,
    `${document}/`,
    '/V1/documents',
    '/v1/%2564ocuments',
  ]) {
    t.equal((await sendRaw(target))?.status, 404, target);
  }
  await expectUnharmed();
});

t.test('16,000 headers, and a query of 100,000 parameters, end their connection and nothing else', async (t) => {
  const flood = [
    sendRaw(document, { headers: 'a: b\r\n'.repeat(16_000) }),
    sendRaw(`${document}?${'a=b&'.repeat(100_000)}c`),
    sendRaw(document, { headers: `Range: bytes=${'0-,'.repeat(10_000)}0-\r\n` }),
  ];
  for (const answer of await Promise.all(flood)) {
    // A connection that is closed while the rest is still on its way may lose its answer.
    t.ok(answer === undefined || [414, 431, 505].includes(answer.status), String(answer?.status));
  }
  t.equal((await sendRaw(`${document}?${'a=b&'.repeat(400)}c`))?.status, 200, 'what fits is served, and not looked at');
  await expectUnharmed();
});

t.test('a client says neither where it comes from nor, in other than one word, what its request is called', async (t) => {
  const forged = {
    'X-Forwarded-For': '198.51.100.7, 127.0.0.1',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Proto': 'https',
    'X-Original-URL': '/v1/orgs',
    'X-Real-IP': '198.51.100.7',
    Forwarded: 'for=198.51.100.7;host=evil.example',
    'X-Request-Id': 'forged {"level":60}',
  };
  const headers = Object.entries(forged).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = await sendRaw(`${document}/versions`, { headers: headers.join('') });
  t.equal(answer?.status, 200);
  t.match(answer?.headers.get('x-request-id'), /^[0-9a-f]{8}-[0-9a-f]{4}-7/, 'it got an id of ours');
  const created = await ask(product, 'POST', '/v1/documents', {
    body: 'more',
    headers: { ...forged, 'X-Request-Id': 'one-word' },
  });
  t.equal(created.headers.get('x-request-id'), 'one-word');
  t.equal(created.headers.get('location')?.startsWith('/v1/'), true, 'no host that a client names is in a link');
  for (const line of ['X-Request-Id: a\nSet-Cookie: b\r\n', 'X-Request-Id: a\r\n Set-Cookie: b\r\n', 'X-Request-Id: a\rb\r\n']) {
    // One of the servers waits for the rest of a head that it will never take.
    const client = await RawClient.connect(product.port);
    client.send(`GET ${document} HTTP/1.1\r\nHost: x\r\n${product.keyLine}${line}\r\n`);
    client.socket.end();
    const refused = await client.answer();
    t.ok(refused === undefined || refused.status === 400, JSON.stringify(line));
    t.notOk(refused?.headers.has('set-cookie'));
    client.destroy();
  }
  // The log is written some lines at a time.
  for (let waited = 0; waited < 10_000 && !product.output.includes('one-word'); waited += 50) await sleep(50);
  t.equal((await eventsOfRequest(admin, 'one-word', 'document.create')).length, 1);
  const told = `${product.output}${(await admin.ask('GET', '/v1/audit/export')).text}`;
  for (const word of ['198.51.100.7', 'evil.example', 'forged']) t.notOk(told.includes(word), `${word} is in no log`);
});

t.test('a method is what the request line says', async (t) => {
  const overrides = { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE', 'x-method-override': 'DELETE' };
  for (const method of ['GET', 'POST']) {
    const answer = await admin.ask(method, `${document}?_method=DELETE&method=DELETE`, { headers: overrides });
    t.equal(answer.status, method === 'GET' ? 200 : 405, method);
  }
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  t.equal((await admin.ask('POST', document, { body: '_method=DELETE&reason=x', headers: form })).status, 405);
  for (const method of ['PATCH', 'TRACE']) {
    t.match(await sendRaw(document, { method }), { status: 405 }, method);
  }
  await expectUnharmed();
});

t.test('HEAD may what GET may, for everybody and everything', async (t) => {
  const hidden = expectStatus(await admin.ask('POST', '/v1/documents', { body: 'hidden' }), 201);
  const rules = [{ effect: 'deny', actions: ['doc.read'], principals: [reader.principalId] }];
  const set = await admin.ask('PUT', `/v1/documents/${hidden.documentId}/acl`, {
    body: { rules },
    headers: { 'if-match': '"a-0"' },
  });
  t.equal(set.status, 200);
  // Until there is a signed head of the log, whether it answers is a matter of when.
  while ((await admin.ask('GET', '/v1/audit/checkpoint')).status !== 200) await sleep(50);
  const things: Json[] = [stored, hidden, { documentId: absent, contentRef: { key: `b3:${'0'.repeat(64)}` } }];
  const people = [product.key, reader.key, `${reader.key.slice(0, -1)}!`, undefined];
  for (const { pattern } of routes.filter(({ method }) => method === 'GET')) {
    for (const thing of pattern.includes('{documentId}') || pattern.includes('{key}') ? things : [stored]) {
      const facts: Json = { ...thing, folderId, orgId, key: (thing.contentRef as Json).key, leaf: '0' };
      const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(facts[name] ?? absent)));
      for (const key of people) {
        const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => product.fetchAs(key, path, { method })));
        await get?.arrayBuffer();
        t.equal(head?.status, get?.status, `${path} as ${people.indexOf(key)}`);
        t.equal(head?.headers.get('content-type'), get?.headers.get('content-type'), path);
        t.equal(await head?.text(), '');
      }
    }
  }
});

t.test('OPTIONS tells the methods of a path, the same to everybody and whatever is there', async (t) => {
  for (const path of [document, `/v1/documents/${absent}`, '/v1/documents/no-id']) {
    for (const key of [product.key, reader.key, undefined]) {
      const headers = { origin: 'https://evil.example', 'access-control-request-method': 'DELETE' };
      const answer = await product.fetchAs(key, path, { method: 'OPTIONS', headers });
      t.equal(answer.status, 204, path);
      t.equal(answer.headers.get('allow'), 'DELETE, GET, HEAD, OPTIONS');
      t.notOk(
        [...answer.headers.keys()].some((name) => name.startsWith('access-control')),
        'no page of another site may ask',
      );
    }
  }
  t.equal((await product.fetchAs(undefined, '/v1/nowhere', { method: 'OPTIONS' })).status, 404);
});
