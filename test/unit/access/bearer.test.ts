import t from 'tap';
import { parseBearer } from '../../../src/access/bearer.ts';
import { limits } from '../../../src/core/limits.ts';

const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';

function reasonOf(header: string | undefined): unknown {
  try {
    return parseBearer(header).kind;
  } catch (error) {
    return (error as { details: { reason: unknown } }).details.reason;
  }
}

t.test('an API key and a JWT are told apart by their form alone', async (t) => {
  t.strictSame(parseBearer('Bearer quasar_0190_secret'), { kind: 'api_key', token: 'quasar_0190_secret' });
  t.strictSame(parseBearer(`Bearer ${jwt}`), { kind: 'jwt', token: jwt });
  t.equal(parseBearer('Bearer quasar_a.b.c').kind, 'api_key');
  t.equal(parseBearer('Bearer eyJhbGciOiJub25lIn0.e30.').kind, 'jwt', 'an unsigned one too: its verifier refuses it by name');
});

t.test('the scheme is taken in any case and with any few spaces', async (t) => {
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'bEaReR   ']) t.equal(parseBearer(`${scheme}${jwt}`).token, jwt);
});

t.test('a request without the header is missing credentials; any other form is malformed', async (t) => {
  t.equal(reasonOf(undefined), 'credentials_missing');
  t.equal(reasonOf(''), 'credentials_missing');
  const malformed = [
    'Bearer',
    'Bearer ',
    `Bearer\t${jwt}`,
    jwt,
    `Basic ${jwt}`,
    `Token ${jwt}`,
    `Bearer${jwt}`,
    ` Bearer ${jwt}`,
    `Bearer ${jwt} `,
    `Bearer ${jwt}, Bearer ${jwt}`,
    `Bearer ${jwt} ${jwt}`,
    'Bearer opaque-token',
    'Bearer a.b',
    'Bearer a.b.c.d.e',
    'Bearer .b.c',
    'Bearer a..c',
    'Bearer a.b.c=',
    'Bearer a.b.c\n',
    'Bearer a.b.c\r\nX: y',
    'Bearer quasar_\u0000',
    'Bearer quasar_ü',
    'Bearer quasar_a"b',
    'Bearer =quasar_',
    'Bearer QUASAR_a',
  ];
  for (const header of malformed) t.equal(reasonOf(header), 'credentials_malformed', JSON.stringify(header));
});

t.test('a token is bounded, and so is the time to read a header of any length', async (t) => {
  const longest = `quasar_${'a'.repeat(limits.bearerMax - 7)}`;
  t.equal(reasonOf(`Bearer ${longest}`), 'api_key');
  t.equal(reasonOf(`Bearer ${longest}a`), 'credentials_malformed');
  for (const text of ['a'.repeat(5_000_000), `Bearer ${'='.repeat(5_000_000)}`, `Bearer ${' '.repeat(5_000_000)}`]) {
    t.equal(reasonOf(text), 'credentials_malformed');
  }
});

t.test('a refusal tells neither the client nor the log what was sent', async (t) => {
  try {
    parseBearer('Basic dXNlcjpwYXNzd29yZA==');
    t.fail('accepted');
  } catch (error) {
    const { message, details, cause } = error as Error & { details: object };
    t.notMatch(JSON.stringify([message, details, (cause as Error).message]), /dXNlc/);
    t.match(error, { code: 'unauthenticated', kind: 'unauthenticated', op: 'access.authenticate' });
  }
});
