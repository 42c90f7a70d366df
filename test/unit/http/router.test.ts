import t from 'tap';
import { NobodyCaller } from '../../../src/http/caller.ts';
import { dispatchTo } from '../../../src/http/dispatch.ts';
import { open } from '../../../src/http/route-access.ts';
import { type Params, type Route, Router, route } from '../../../src/http/router.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';

const calls: { pattern: string; params: Params }[] = [];

function noting(method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD', pattern: string): Route<string> {
  return route(method, pattern, open, (_exchange, params, deps: string) => {
    calls.push({ pattern: `${method} ${pattern} ${deps}`, params: { ...params } });
  });
}

const router = new Router([
  noting('GET', '/metrics'),
  noting('GET', '/v1/documents'),
  noting('POST', '/v1/documents'),
  noting('GET', '/v1/documents/{documentId}'),
  noting('GET', '/v1/documents/latest'),
  noting('PUT', '/v1/documents/{documentId}/content'),
  noting('HEAD', '/v1/uploads/{uploadId}'),
  noting('GET', '/v1/uploads/{uploadId}'),
]);
const dispatch = dispatchTo(router, 'deps', {
  gate: { enter: () => new NobodyCaller({ requestId: 'test', address: undefined }), noteFailed: async () => undefined },
  addresses: { of: () => undefined },
});

function ask(method: string, path: string): FakeExchange {
  calls.length = 0;
  const exchange = new FakeExchange({ method, path });
  dispatch(exchange);
  return exchange;
}

t.test('a request finds its route and decoded parameters', async (t) => {
  t.equal(ask('GET', '/v1/documents').route, '/v1/documents');
  t.same(calls, [{ pattern: 'GET /v1/documents deps', params: {} }]);
  ask('PUT', '/v1/documents/b3%3Aaa/content');
  t.same(calls, [{ pattern: 'PUT /v1/documents/{documentId}/content deps', params: { documentId: 'b3:aa' } }]);
});

t.test('a literal goes before a parameter', async (t) => {
  ask('GET', '/v1/documents/latest');
  t.match(calls, [{ pattern: 'GET /v1/documents/latest deps' }]);
});

t.test('HEAD has its own route or the one of GET', async (t) => {
  ask('HEAD', '/v1/uploads/u');
  t.match(calls, [{ pattern: 'HEAD /v1/uploads/{uploadId} deps' }]);
  ask('HEAD', '/metrics');
  t.match(calls, [{ pattern: 'GET /metrics deps' }]);
});

t.test('unknown paths are not found', async (t) => {
  for (const path of [
    '/',
    '/v1',
    '/v1/documents/',
    '/v1/documents//content',
    '/v1/documents/a/b',
    '/metrics/x',
    '/V1/documents',
    '/__proto__',
    '/v1/constructor',
  ]) {
    t.throws(() => ask('GET', path), { code: 'route_not_found' }, path);
  }
});

t.test('a known path names the methods it takes', async (t) => {
  t.throws(() => ask('DELETE', '/v1/documents'), {
    code: 'method_not_allowed',
    details: { allow: ['GET', 'HEAD', 'OPTIONS', 'POST'] },
  });
  const exchange = ask('OPTIONS', '/v1/documents/x/content');
  t.same(exchange.answer, { status: 204, headers: ['Allow', 'OPTIONS, PUT'], body: '' });
});

t.test('a route stands in the table once', async (t) => {
  t.throws(() => new Router([noting('GET', '/a'), noting('GET', '/a')]), /once/);
});
