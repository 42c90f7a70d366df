import t from 'tap';
import { type ErrorCode, errorTable, QuasarError } from '../../../src/core/errors.ts';
import { problemOf, statusOf } from '../../../src/http/problem.ts';
import { isWritableHeaderValue } from '../../../src/http/request-guard.ts';

const context = { requestId: 'r1', instance: '/v1/x' };

function headersOf(code: ErrorCode, details: Record<string, unknown> = {}): Map<string, string> {
  const { headers } = problemOf(new QuasarError(code, { op: 'test', details }), context);
  const map = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) map.set(headers[at] as string, headers[at + 1] as string);
  return map;
}

t.test('every code has a status of its kind and a whole problem', async (t) => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const status = statusOf(code);
    t.ok(status >= 400 && status < 600, code);
    const problem = problemOf(new QuasarError(code, { op: 'test' }), context);
    t.match(JSON.parse(problem.body), {
      type: `urn:quasar:error:${code}`,
      title: errorTable[code].title,
      status,
      code,
      requestId: 'r1',
      instance: '/v1/x',
    });
    t.ok(problem.headers.every(isWritableHeaderValue), `${code}: headers can be written`);
  }
});

t.test('statuses that clients and operators rely on', async (t) => {
  const table: [ErrorCode, number][] = [
    ['bad_request', 400],
    ['bad_parameter', 400],
    ['bad_body', 400],
    ['route_not_found', 404],
    ['method_not_allowed', 405],
    ['unsupported_media_type', 415],
    ['body_too_large', 413],
    ['precondition_failed', 412],
    ['range_unsatisfiable', 416],
    ['upload_not_found', 404],
    ['upload_expired', 410],
    ['upload_offset_mismatch', 409],
    ['upload_too_large', 413],
    ['too_many_uploads', 503],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['rate_limited', 429],
    ['identity_unavailable', 503],
    ['digest_mismatch', 422],
    ['idempotency_mismatch', 422],
    ['storage_full', 507],
    ['corrupt', 500],
    ['database_unavailable', 503],
    ['internal', 500],
  ];
  for (const [code, status] of table) t.equal(statusOf(code), status, code);
});

t.test('a message says more than the title where there is one; internals stay inside', async (t) => {
  const told = JSON.parse(
    problemOf(new QuasarError('bad_parameter', { op: 'a.b', message: 'limit is odd.', details: { parameter: 'limit' } }), context)
      .body,
  );
  t.match(told, { detail: 'limit is odd.', details: { parameter: 'limit' } });
  const cause = new Error('SELECT secret');
  const text = problemOf(
    new QuasarError('internal', { op: 'a.b', message: 'path /etc', details: { sql: 'x' }, cause }),
    context,
  ).body;
  t.notMatch(text, /SELECT|\/etc|sql|a\.b/);
});

t.test('what a client acts on stands in headers too', async (t) => {
  t.equal(headersOf('upload_offset_mismatch', { expected: 7 }).get('Upload-Offset'), '7');
  t.equal(headersOf('upload_incomplete', { offset: 9 }).get('Upload-Offset'), '9');
  t.equal(headersOf('range_unsatisfiable', { size: 5 }).get('Content-Range'), 'bytes */5');
  t.equal(headersOf('method_not_allowed', { allow: ['GET', 'HEAD'] }).get('Allow'), 'GET, HEAD');
  t.match(headersOf('too_many_uploads').get('Retry-After'), /^\d+$/);
  t.match(headersOf('database_unavailable').get('Retry-After'), /^\d+$/);
  t.equal(headersOf('storage_full').has('Retry-After'), false);
  t.equal(headersOf('rate_limited', { retryAfterMs: 1001 }).get('Retry-After'), '2');
  t.equal(headersOf('rate_limited', { retryAfterMs: 0 }).get('Retry-After'), '1');
  t.match(headersOf('rate_limited').get('Retry-After'), /^\d+$/);
  t.equal(headersOf('unauthenticated', { reason: 'credentials_missing' }).get('WWW-Authenticate'), 'Bearer realm="quasar"');
  t.match(headersOf('unauthenticated', { reason: 'token_expired' }).get('WWW-Authenticate'), /error="invalid_token"$/);
  t.equal(headersOf('upload_offset_mismatch', { expected: 'x\r\ny' }).has('Upload-Offset'), false);
  t.equal(headersOf('internal').get('Content-Type'), 'application/problem+json');
});
