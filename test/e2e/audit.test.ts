import { createHash } from 'node:crypto';
import t from 'tap';
import { parseCheckpoint } from '../../src/audit/checkpoint.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/merkle-proof.ts';
import { parseSignedNote } from '../../src/audit/signed-note.ts';
import { canonicalJsonBytes } from '../../src/core/canonical-json.ts';
import { Fault } from '../../src/segment/fault.ts';
import { ask, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';

const SCHEMA = 'urn:quasar:schema:case@1.0.0';
const CASE = 'urn:quasar:ns:case';

const product = await Product.start();
t.teardown(() => product.destroy());

/** One request under this id that must succeed. */
async function send(requestId: string, method: string, path: string, body?: unknown, headers = {}): Promise<Json> {
  const answer = await ask(product, method, path, { body, headers: { 'x-request-id': requestId, ...headers } });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text === '' ? {} : answer.json();
}

async function get(path: string): Promise<Json> {
  const answer = await ask(product, 'GET', path);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.json();
}

interface Item {
  readonly leaf: number;
  readonly hash: string;
  readonly event: Json & { readonly requestId: string; readonly action: string; readonly time: string };
}

async function listEvents(query = ''): Promise<readonly Item[]> {
  return (await get(`/v1/audit/events?limit=1000${query}`)).items as Item[];
}

/** The events of a request, once they have their numbers. */
async function eventsOf(requestId: string): Promise<readonly Item[]> {
  for (;;) {
    const found = (await listEvents()).filter(({ event }) => event.requestId === requestId);
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A head over more than `leaf` events, once there is one. */
async function headAbove(leaf: number) {
  for (;;) {
    const { status, text } = await ask(product, 'GET', '/v1/audit/checkpoint');
    const note = status === 200 ? parseSignedNote(text) : new Fault('there is none');
    const head = note instanceof Fault ? note : parseCheckpoint(note.text);
    if (!(head instanceof Fault) && head.size > leaf) return head;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const decode = (text: unknown) => Buffer.from(String(text), 'base64');

t.test('every change through the API is an event with the id of its request', async (t) => {
  const made = await send('r-one-shot', 'POST', '/v1/documents', 'some bytes');
  const document = `/v1/documents/${made.documentId}`;
  await send('r-content', 'PUT', `${document}/content`, 'other bytes');
  const version = { versionId: made.versionId, expected: null };
  await send('r-label', 'PUT', `${document}/labels/sealed`, version);
  await send('r-ref', 'PUT', `${document}/refs/dms/4711`, {});
  await send('r-unref', 'DELETE', `${document}/refs/dms/4711`);
  await send('r-schema', 'POST', '/v1/schemas', { schemaUrn: SCHEMA, namespaceUrn: CASE, schema: { type: 'object' } });
  const entry = { schema: { $id: SCHEMA }, data: { number: '1' } };
  await send('r-metadata', 'POST', `${document}/metadata`, { mode: 'canonical', bundle: { [CASE]: entry } });
  await send('r-deprecate', 'PUT', `/v1/schemas/${encodeURIComponent(SCHEMA)}/lifecycle`, { lifecycle: 'deprecated' });
  const session = await send('r-session', 'POST', '/v1/documents', { filename: 'a.txt', size: 5 });
  await send('r-cancel', 'DELETE', `/v1/uploads/${session.uploadId}`);
  const other = await send('r-session-2', 'POST', '/v1/documents', { filename: 'b.txt', size: 5 });
  const bytes = { 'content-type': 'application/octet-stream', 'upload-offset': '0' };
  await send('r-bytes', 'PUT', `/v1/uploads/${other.uploadId}/bytes`, 'hello', bytes);
  const finalized = await send('r-finalize', 'POST', `/v1/uploads/${other.uploadId}/finalize`, {});
  t.ok(finalized.documentId);

  const expected = {
    'r-one-shot': 'document.create',
    'r-content': 'version.create',
    'r-label': 'label.move',
    'r-ref': 'reference.add',
    'r-unref': 'reference.remove',
    'r-schema': 'schema.create',
    'r-deprecate': 'schema.deprecate',
    'r-metadata': 'metadata.replace',
    'r-session': 'upload.create',
    'r-cancel': 'upload.cancel',
    'r-finalize': 'document.create',
  };
  for (const [requestId, action] of Object.entries(expected)) {
    const actions = (await eventsOf(requestId)).map(({ event }) => event.action);
    t.ok(actions.includes(action), `${requestId}: ${action} among ${actions}`);
  }
});

t.test('events are found by what, who, which action and when, page by page', async (t) => {
  const { documentId } = await send('r-find', 'POST', '/v1/documents', 'bytes to be found');
  await send('r-find-2', 'PUT', `/v1/documents/${documentId}/content`, 'more bytes to be found');
  const [second] = (await eventsOf('r-find-2')) as [Item];
  const about = await listEvents(`&document=${documentId}`);
  t.same(new Set(about.map(({ event }) => event.requestId)), new Set(['r-find', 'r-find-2']));
  t.ok(about.every(({ event }) => (event.resource as Json).id === documentId));
  const everything = await listEvents();
  const searches: Record<string, (item: Item) => boolean> = {
    [`&principal=${ownId(second)}&until=${second.event.time}`]: (item) =>
      ownId(item) === ownId(second) && item.event.time < second.event.time,
    [`&from=${second.event.time}`]: ({ event }) => event.time >= second.event.time,
    '&action=schema.create': ({ event }) => event.action === 'schema.create',
    [`&above=${second.leaf - 1}&action=version.create`]: ({ leaf, event }) =>
      leaf >= second.leaf && event.action === 'version.create',
    '&until=2000-01-01T00:00:00Z': () => false,
  };
  for (const [query, fits] of Object.entries(searches)) {
    const found = await listEvents(query);
    t.ok(found.every(fits), `${query} finds nothing else`);
    // More may have come since everything was listed.
    const missed = everything.filter((item) => fits(item) && !found.some(({ leaf }) => leaf === item.leaf));
    t.same(missed, [], query);
  }

  const pages: Item[] = [];
  for (let cursor: unknown = ''; cursor !== null; ) {
    const page = await get(`/v1/audit/events?limit=3&document=${documentId}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    pages.push(...(page.items as Item[]));
    cursor = page.nextCursor;
  }
  t.same(numbers(pages), numbers(about));
  t.same(await get(`/v1/audit/events/${second.leaf}`), second);
});

t.test('an event and the growth of the log are proved, and the proofs hold', async (t) => {
  await send('r-proof', 'POST', '/v1/documents', 'proved bytes');
  const [event] = (await eventsOf('r-proof')) as [Item];
  const head = await headAbove(event.leaf);
  const { root, leafHash, proof } = await get(`/v1/audit/proofs/inclusion?leaf=${event.leaf}&size=${head.size}`);
  const own = createHash('sha256').update(Buffer.of(0)).update(canonicalJsonBytes(event.event)).digest();
  t.equal(own.toString('base64'), leafHash);
  t.equal(event.hash, leafHash);
  t.same(decode(root), Buffer.from(head.root), 'the root is the one that was signed');
  const siblings = (proof as string[]).map(decode);
  t.ok(verifyInclusion({ leaf: event.leaf, size: head.size, leafHash: own, root: head.root }, siblings));

  await send('r-growth', 'POST', '/v1/documents', 'bytes of growth');
  const newer = await headAbove((await eventsOf('r-growth'))[0]?.leaf as number);
  const grown = await get(`/v1/audit/proofs/consistency?first=${head.size}&second=${newer.size}`);
  t.ok(verifyConsistency(head, newer, (grown.proof as string[]).map(decode)));
  const old = await ask(product, 'GET', `/v1/audit/checkpoint?size=${head.size}`);
  t.ok(old.text.split('\n')[1] === String(head.size), 'the older head is still shown');
});

t.test('what is not there, or not asked for properly, is refused', async (t) => {
  const refused = {
    '/v1/audit/events/999999999': [404, 'audit_event_not_found'],
    '/v1/audit/events/-1': [400, 'bad_parameter'],
    '/v1/audit/checkpoint?size=0': [404, 'checkpoint_not_found'],
    '/v1/audit/checkpoint?size=x': [400, 'bad_parameter'],
    '/v1/audit/events?action=doc.raed': [400, 'bad_parameter'],
    '/v1/audit/events?document=x': [400, 'bad_parameter'],
    '/v1/audit/events?principal=A%20B': [400, 'bad_parameter'],
    '/v1/audit/events?from=yesterday': [400, 'bad_parameter'],
    '/v1/audit/proofs/inclusion?leaf=0': [400, 'bad_parameter'],
    '/v1/audit/proofs/inclusion?leaf=5&size=5': [400, 'bad_parameter'],
    '/v1/audit/proofs/consistency?first=3&second=2': [400, 'bad_parameter'],
    '/v1/audit/proofs/consistency?first=1&second=999999999': [400, 'bad_parameter'],
  };
  for (const [path, [status, code]] of Object.entries(refused)) {
    const answer = await ask(product, 'GET', path);
    t.match({ status: answer.status, code: answer.json().code }, { status, code }, path);
  }
});

t.test('the log is for those who may read it, and a refusal is in it', async (t) => {
  const { key, keyId } = await send('r-key', 'POST', '/v1/keys', { name: 'reader', scope: ['doc.read'] });
  t.ok(keyId);
  const routes = ['events', 'events/0', 'checkpoint', 'key', 'export'];
  const proofs = ['proofs/inclusion?leaf=0&size=1', 'proofs/consistency?first=1&second=1'];
  for (const route of [...routes, ...proofs]) {
    const headers = { 'x-request-id': `r-refused-${route.replaceAll(/\W/g, '-')}` };
    const answer = await product.fetchAs(String(key), `/v1/audit/${route}`, { headers });
    t.match({ status: answer.status, body: await answer.json() }, { status: 403, body: { code: 'forbidden' } }, route);
    const nobody = await product.fetchAs(undefined, `/v1/audit/${route}`);
    t.equal(nobody.status, 401, route);
    await nobody.arrayBuffer();
  }
  const [denied] = (await eventsOf('r-refused-events')) as [Item];
  t.match(denied.event, { action: 'audit.read', outcome: 'denied', resource: { kind: 'org' } });
});

t.test('each org has a log of its own', async (t) => {
  const made = await send('r-org', 'POST', '/v1/orgs', { name: 'Another court' });
  const at = (path: string) => product.fetchAs(String(made.key), path);
  const { items } = (await (await at('/v1/audit/events?limit=1000')).json()) as { items: readonly Item[] };
  t.ok(items.every(({ event }) => event.orgId === made.orgId));
  t.equal((await (await at('/v1/audit/key')).text()).split('+')[0], `quasar/${made.orgId}`);
  const [header, ...lines] = (await (await at('/v1/audit/export')).text()).trimEnd().split('\n');
  t.match(JSON.parse(header as string), { origin: `quasar/${made.orgId}` });
  const orgs = lines.map((line) => JSON.parse(line) as { event?: Json }).flatMap(({ event }) => (event ? [event.orgId] : []));
  t.same(new Set([...orgs, made.orgId]), new Set([made.orgId]));
});

t.test('what was committed before a stop is numbered and signed after the next start', async (t) => {
  await send('r-last', 'POST', '/v1/documents', 'the last bytes');
  t.equal(await product.stop(), 0);
  const again = await Product.start({ data: product.data });
  t.teardown(() => again.stop());
  const page = (await (await again.fetch('/v1/audit/events?limit=1000')).json()) as { items: Item[] };
  const last = page.items.find(({ event }) => event.requestId === 'r-last');
  t.ok(last, 'it has its number');
  const note = await (await again.fetch('/v1/audit/checkpoint')).text();
  t.ok(Number(note.split('\n')[1]) > (last?.leaf as number), 'the head that covers it was signed at the stop');
});

function numbers(items: readonly Item[]): readonly number[] {
  return items.map(({ leaf }) => leaf);
}

function ownId({ event }: Item): unknown {
  return (event.principal as Json).id;
}
