import t from 'tap';
import { systemClock } from '../../../../src/core/clock.ts';
import { type DocumentId, newId } from '../../../../src/core/ids.ts';
import { idempotencyKeyOf, parseCreateBody, parseFinalizeBody } from '../../../../src/http/handlers/request-bodies.ts';
import { FakeExchange } from '../../../helpers/fake-exchange.ts';

const SIZE_MAX = 1000;
const hex = 'ab'.repeat(32);

t.test('all fields of a new session are optional, and null is as good as absent', async (t) => {
  const nothing = {
    documentId: undefined,
    filename: undefined,
    contentType: undefined,
    size: undefined,
    digests: {},
    externalRefs: [],
    initialMetadata: undefined,
  };
  t.same(parseCreateBody(undefined, SIZE_MAX), nothing);
  t.same(parseCreateBody({}, SIZE_MAX), nothing);
  t.same(parseCreateBody({ documentId: null, filename: null, contentType: null, size: null, digests: null }, SIZE_MAX), nothing);
  t.same(parseCreateBody({ externalRefs: null, initialMetadata: null }, SIZE_MAX), nothing);
});

t.test('a session is described field by field', async (t) => {
  const documentId = newId<DocumentId>(systemClock);
  const body = {
    documentId,
    filename: 'a.pdf',
    contentType: 'application/pdf',
    size: 0,
    digests: { blake3: `b3:${hex}`, sha256: hex },
    externalRefs: [{ system: 'dms', value: '4711', meta: { b: 1, a: 2 } }],
    initialMetadata: { 'urn:quasar:ns:case': { data: { number: '1' } } },
  };
  t.match(parseCreateBody(body, SIZE_MAX), {
    documentId,
    filename: 'a.pdf',
    contentType: 'application/pdf',
    size: 0,
    digests: { blake3: hex, sha256: hex },
    externalRefs: [{ system: 'dms', value: '4711', meta: '{"a":2,"b":1}' }],
    initialMetadata: { layer: 'canonical', entries: [{ namespace: 'urn:quasar:ns:case', data: { number: '1' } }] },
  });
});

t.test('what is not what it must be is refused, never ignored', async (t) => {
  for (const [body, code] of [
    [[], 'bad_body'],
    ['text', 'bad_body'],
    [{ sise: 3 }, 'bad_body'],
    [{ documentId: 'x' }, 'bad_parameter'],
    [{ documentId: 3 }, 'bad_parameter'],
    [{ filename: 'nul\0' }, 'bad_parameter'],
    [{ contentType: 'pdf' }, 'bad_parameter'],
    [{ contentType: 'a/b\r\nx: y' }, 'bad_parameter'],
    [{ size: -1 }, 'bad_parameter'],
    [{ size: 1.5 }, 'bad_parameter'],
    [{ size: '1' }, 'bad_parameter'],
    [{ size: SIZE_MAX + 1 }, 'upload_too_large'],
    [{ digests: { sha256: hex.toUpperCase() } }, 'bad_parameter'],
    [{ digests: { md5: hex } }, 'bad_body'],
  ] as const) {
    t.throws(() => parseCreateBody(body, SIZE_MAX), { code }, JSON.stringify(body));
  }
});

t.test('the same wish to finalise has the same fingerprint, however it is written', async (t) => {
  const one = parseFinalizeBody({ labels: ['B', 'A', 'B', 'CURRENT'], reason: 'filed', digests: { blake3: `b3:${hex}` } });
  const other = parseFinalizeBody({ digests: { blake3: hex, sha256: null }, reason: 'filed', labels: ['A', 'B'] });
  t.same(one.labels, ['A', 'B']);
  t.equal(one.fingerprint, other.fingerprint);
  t.equal(parseFinalizeBody(undefined).fingerprint, parseFinalizeBody({ labels: [], reason: null }).fingerprint);
  for (const body of [{}, { labels: ['A'] }, { reason: 'other', labels: ['A', 'B'] }]) {
    t.not(parseFinalizeBody(body).fingerprint, one.fingerprint);
  }
});

t.test('labels and reasons have limits', async (t) => {
  for (const labels of ['A', [1], ['a b'], ['-a'], ['x'.repeat(65)], Array.from({ length: 17 }, (_, n) => `L${n}`)]) {
    t.throws(() => parseFinalizeBody({ labels }), { code: 'bad_parameter' }, JSON.stringify(labels));
  }
  t.throws(() => parseFinalizeBody({ reason: 'x'.repeat(1001) }), { code: 'bad_parameter' });
});

t.test('an idempotency key is visible ASCII of a bounded length', async (t) => {
  const keyOf = (key?: string) =>
    idempotencyKeyOf(new FakeExchange(key === undefined ? {} : { headers: { 'idempotency-key': key } }));
  t.equal(keyOf(), undefined);
  t.equal(keyOf('k-1'), 'k-1');
  for (const key of ['', 'a b', 'ä', 'x'.repeat(256)]) t.throws(() => keyOf(key), { code: 'bad_parameter' });
});
