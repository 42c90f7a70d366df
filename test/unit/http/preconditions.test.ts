import t from 'tap';
import type { DocumentId, VersionId } from '../../../src/core/ids.ts';
import { documentEtagOf, documentGuardOf } from '../../../src/http/conditional-write.ts';
import { admitPreconditions, writeConditionsOf } from '../../../src/http/preconditions.ts';
import { routes } from '../../../src/http/routes.ts';
import { outcomeOf } from '../../helpers/dispatched.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';

const ID = '019aa5c0-6f02-7a3b-8c1d-2e4f5a6b7c8d';
const DATE = 'Sat, 21 Nov 2026 09:00:00 GMT';
const changing = routes.filter(({ method }) => method !== 'GET' && method !== 'HEAD');

t.test('a route that changes something evaluates a precondition, or refuses it before its handler runs', async (t) => {
  t.ok(changing.length > 30);
  for (const route of changing) {
    const name = `${route.method} ${route.pattern}`;
    const evaluates: readonly string[] = route.evaluates ?? [];
    t.equal(await outcomeOf(route as never, {}), 'handled', name);
    for (const header of ['if-match', 'if-none-match']) {
      const expected = evaluates.includes(header) ? 'handled' : 'precondition_unsupported';
      for (const value of ['"stale"', '*', `"a", "v-${ID}"`, 'W/"weak"', `"v-${ID}"`]) {
        t.equal(await outcomeOf(route as never, { [header]: value }), expected, `${name} ${header}: ${value}`);
      }
      const unreadable = evaluates.includes(header) ? 'bad_parameter' : 'precondition_unsupported';
      for (const value of ['stale', '', ',', '"open', 'w/"a"', '"a" "b"', '**', "'a'"]) {
        t.equal(await outcomeOf(route as never, { [header]: value }), unreadable, `${name} ${header}: ${value}`);
      }
    }
    for (const value of [DATE, '0', 'yesterday', '']) {
      t.equal(await outcomeOf(route as never, { 'if-unmodified-since': value }), 'precondition_unsupported', name);
    }
    for (const header of ['if', 'if-schedule-tag-match', 'x-amz-if-match-size', 'x-goog-if-generation-match']) {
      t.equal(await outcomeOf(route as never, { [header]: '"a"' }), 'precondition_unsupported', `${name} ${header}`);
    }
    // RFC 9110 13.1.3 and 13.1.5: neither says anything about a change.
    t.equal(await outcomeOf(route as never, { 'if-modified-since': DATE, 'if-range': '"a"' }), 'handled', name);
  }
});

t.test('what changes a document as a whole, its rules, its content or its metadata evaluates If-Match', async (t) => {
  const evaluating = changing.filter(({ evaluates }) => evaluates?.includes('if-match'));
  t.strictSame(evaluating.map(({ method, pattern }) => `${method} ${pattern}`).sort(), [
    'DELETE /v1/documents/{documentId}',
    'DELETE /v1/documents/{documentId}/hold',
    'DELETE /v1/documents/{documentId}/refs/{system}/{value}',
    'POST /v1/documents/{documentId}/metadata',
    'POST /v1/documents/{documentId}/metadata/{namespace}/patch',
    'PUT /v1/documents/{documentId}/acl',
    'PUT /v1/documents/{documentId}/content',
    'PUT /v1/documents/{documentId}/folder',
    'PUT /v1/documents/{documentId}/hold',
    'PUT /v1/documents/{documentId}/labels/{label}',
    'PUT /v1/documents/{documentId}/refs/{system}/{value}',
    'PUT /v1/documents/{documentId}/retention',
    'PUT /v1/folders/{folderId}/acl',
    'PUT /v1/orgs/{orgId}/acl',
  ]);
});

t.test('If-Unmodified-Since is ignored beside an If-Match that is evaluated, and refused alone', async (t) => {
  const headers = new FakeExchange({ headers: { 'if-match': '"a"', 'if-unmodified-since': DATE } });
  admitPreconditions(headers, ['if-match']);
  t.throws(() => admitPreconditions(headers, ['if-none-match']), { code: 'precondition_unsupported' });
  t.throws(() => admitPreconditions(new FakeExchange({ headers: { 'if-unmodified-since': DATE } }), ['if-match']), {
    code: 'precondition_unsupported',
    details: { parameter: 'If-Unmodified-Since', evaluated: ['If-Match'] },
  });
});

t.test('reads are not asked for preconditions they cannot evaluate', async (t) => {
  for (const route of routes.filter(({ method }) => method === 'GET')) {
    t.equal(await outcomeOf(route as never, { 'if-match': '"a"', 'if-unmodified-since': DATE }), 'handled', route.pattern);
  }
});

t.test('a guard holds the versions and states that If-Match names, and nothing of tags that are weak or foreign', async (t) => {
  const state = '0f343b0931126a20f133d67c2b018a3b';
  const guard = (ifMatch: string) =>
    documentGuardOf(ID as DocumentId, writeConditionsOf(new FakeExchange({ headers: { 'if-match': ifMatch } })), undefined);
  t.equal(guard('*'), undefined);
  t.strictSame(guard(`"v-${ID}"`), { documentId: ID, versions: [ID], states: [] });
  t.strictSame(guard(`"x", ${documentEtagOf(ID as VersionId, state)}`), { documentId: ID, versions: [], states: [state] });
  for (const tag of ['"stale"', `W/"v-${ID}"`, `"m-${ID}"`, `"v-${ID}.1"`, '"v-1"', `"v-${'0'.repeat(36)}"`]) {
    t.strictSame(guard(tag), { documentId: ID, versions: [], states: [] }, tag);
  }
});
