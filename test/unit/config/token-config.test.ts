import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ReadConfigResult, readConfig } from '../../../src/config/read-config.ts';
import { isQuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

interface Given {
  /** quasar.conf */
  readonly lines: readonly string[];
  readonly secrets?: Readonly<Record<string, string>>;
}

function read(t: Test, { lines, secrets = {} }: Given): Promise<ReadConfigResult> {
  const configDirectory = temporaryFolder(t);
  writeFileSync(join(configDirectory, 'quasar.conf'), lines.join('\n'));
  mkdirSync(join(configDirectory, 'secrets'));
  for (const [name, text] of Object.entries(secrets)) {
    writeFileSync(join(configDirectory, 'secrets', name), text, { mode: 0o600 });
  }
  return readConfig({ configDirectory, env: {} });
}

async function problemsOf(t: Test, given: Given): Promise<readonly string[]> {
  try {
    await read(t, given);
    return [];
  } catch (error) {
    if (!isQuasarError(error, 'config_invalid')) throw error;
    return error.details.problems as readonly string[];
  }
}

t.test('everything about tokens is read', async (t) => {
  const lines = [
    'tokens { jwksUrl = "https://id.example.org/jwks.json", algorithms = "RS256, EdDSA", ageMax = 1h }',
    'tokens.issuer = "https://id.example.org/"',
    'tokens { audience = "quasar", audienceOnly = true, orgClaim = "https://q/org", withoutScope = everything }',
  ];
  const { config, values } = await read(t, { lines });
  t.same(config.tokens, {
    keys: { kind: 'jwksUrl', url: 'https://id.example.org/jwks.json' },
    algorithms: ['EdDSA', 'RS256'],
    issuer: 'https://id.example.org/',
    audience: 'quasar',
    audienceOnly: true,
    orgClaim: 'https://q/org',
    ageMaxMs: 3_600_000,
    withoutScope: 'everything',
  });
  t.equal(values.find(({ key }) => key === 'tokens.algorithms')?.shown, 'EdDSA RS256');
});

t.test('the file of a JWK set lies where the config does', async (t) => {
  const { config } = await read(t, { lines: ['tokens.jwksFile = jwks.json'] });
  t.same(config.tokens.keys, { kind: 'jwksFile', path: join(config.directory as string, 'jwks.json') });
  t.same(config.tokens.algorithms, ['EdDSA', 'ES256', 'RS256']);
  t.equal(config.tokens.ageMaxMs, limits.tokenAgeMaxMs);
});

t.test('algorithms may stand without quotes', async (t) => {
  const { config } = await read(t, { lines: ['tokens.jwksFile = a', 'tokens.algorithms = ES256 RS256'] });
  t.same(config.tokens.algorithms, ['ES256', 'RS256']);
});

t.test('the shared secret is a file that must be there', async (t) => {
  const lines = ['tokens.sharedSecret = true'];
  t.match(await problemsOf(t, { lines }), [/^The secret .*secrets\/jwt-secret is missing\./]);
  const { config } = await read(t, { lines, secrets: { 'jwt-secret': 'x'.repeat(32) } });
  t.same(config.tokens.keys, { kind: 'sharedSecret', secret: { directory: config.secretsDirectory, name: 'jwt-secret' } });
});

t.test('a secret that was written into the config is not repeated', async (t) => {
  const problems = await problemsOf(t, { lines: ['tokens.sharedSecret = hunter2hunter2'] });
  t.match(problems, [/"tokens.sharedSecret" must be true or false$/]);
});

const url = 'tokens.jwksUrl = "https://id/jwks"';
const file = 'tokens.jwksFile = a';

for (const { what, lines, says } of [
  { what: 'two places of keys', lines: [url, file], says: /"tokens.jwksUrl" and "tokens.jwksFile" are set.*keep one/ },
  { what: 'a rule without keys', lines: ['tokens.issuer = a'], says: /"tokens.issuer" is set, but no token is taken/ },
  { what: 'an audience alone without one', lines: [url, 'tokens.audienceOnly = true'], says: /"tokens.audience" is missing/ },
  { what: 'http to another machine', lines: ['tokens.jwksUrl = "http://id.example.org/"'], says: /an https address/ },
  { what: 'a password in an address', lines: ['tokens.jwksUrl = "https://u:hunter2@id/"'], says: /[^2]an https address[^2]*$/ },
  { what: 'HS256 as an algorithm of a JWK set', lines: [url, 'tokens.algorithms = HS256'], says: /one or more of EdDSA/ },
  { what: 'no algorithm', lines: [url, 'tokens.algorithms = ""'], says: /one or more of/ },
  { what: 'an algorithm twice', lines: [url, 'tokens.algorithms = "RS256 RS256"'], says: /one or more of/ },
  { what: 'tokens older than the limit', lines: [url, 'tokens.ageMax = 2d'], says: /to 1d/ },
  { what: 'an empty claim', lines: [url, 'tokens.orgClaim = ""'], says: /text of at most/ },
]) {
  t.test(`${what}: refused`, async (t) => {
    t.match(await problemsOf(t, { lines }), [says]);
  });
}

t.test('a shared secret has one algorithm, and it is not to be chosen', async (t) => {
  const lines = ['tokens.sharedSecret = true', 'tokens.algorithms = ES256'];
  const problems = await problemsOf(t, { lines, secrets: { 'jwt-secret': 'x'.repeat(32) } });
  t.match(problems, [/"tokens.algorithms" is set, but "tokens.sharedSecret" has HS256 alone/]);
});

t.test('http from this machine itself is fine', async (t) => {
  for (const host of ['localhost', '127.0.0.1:9000', '[::1]:9000']) {
    const { config } = await read(t, { lines: [`tokens.jwksUrl = "http://${host}/jwks"`] });
    t.match(config.tokens.keys, { kind: 'jwksUrl' });
  }
});
