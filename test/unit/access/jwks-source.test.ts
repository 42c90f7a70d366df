import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { JwksSource, jwksFromFile, jwksFromUrl, type LoadJwks } from '../../../src/access/jwks-source.ts';
import { limits } from '../../../src/core/limits.ts';
import { silentLog } from '../../../src/core/log.ts';
import { type IssuerKey, issuerKey, jwksOf } from '../../helpers/jwt-issuer.ts';
import { standingClock } from '../../helpers/standing-clock.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const old = issuerKey('EdDSA', 'old');
const fresh = issuerKey('EdDSA', 'fresh');
const unavailable = { code: 'identity_unavailable' };

/** A source whose issuer publishes `keys`, or fails while there are none; `loads` counts how often it was asked. */
function fixture(...keys: IssuerKey[]) {
  const issuer = { keys, loads: 0, waits: Promise.resolve() };
  const load: LoadJwks = async () => {
    issuer.loads += 1;
    await issuer.waits;
    if (issuer.keys.length === 0) throw new Error('down');
    return jwksOf(...issuer.keys);
  };
  const clock = standingClock();
  const source = new JwksSource({ load, clock, log: silentLog });
  const has = async (kid: string): Promise<boolean> => (await source.find({ kid, algorithm: 'EdDSA' })) !== undefined;
  return { issuer, clock, source, has };
}

t.test('keys are read at the first token and kept while they are fresh', async (t) => {
  const { issuer, clock, has } = fixture(old);
  t.equal(issuer.loads, 0);
  for (let token = 0; token < 10; token++) t.ok(await has('old'));
  clock.advance(limits.jwksFreshMs);
  t.ok(await has('old'));
  t.equal(issuer.loads, 1);
  clock.advance(1);
  t.ok(await has('old'));
  t.equal(issuer.loads, 2);
});

t.test('many first tokens at once make one request', async (t) => {
  const { issuer, has } = fixture(old);
  t.ok((await Promise.all(Array.from({ length: 50 }, () => has('old')))).every(Boolean));
  t.equal(issuer.loads, 1);
});

t.test('a storm of unknown kids makes one request within the cool-down', async (t) => {
  const { issuer, clock, has } = fixture(old);
  t.ok(await has('old'));
  clock.advance(limits.jwksCoolDownMs);
  const storm = await Promise.all(Array.from({ length: 500 }, (_, index) => has(`invented ${index}`)));
  t.notOk(storm.some(Boolean));
  t.equal(issuer.loads, 2);
  clock.advance(limits.jwksCoolDownMs - 1);
  for (let index = 0; index < 100; index++) t.notOk(await has(`later ${index}`));
  t.equal(issuer.loads, 2);
  clock.advance(1);
  t.notOk(await has('invented 1'));
  t.equal(issuer.loads, 3);
  t.ok(await has('old'), 'others go on meanwhile');
});

t.test('a kid that is a path or a statement is a name like any other', async (t) => {
  const { issuer, has } = fixture(old);
  for (const kid of ['../../../etc/passwd', "' OR 1=1 --", 'https://evil.example/jwks', '__proto__', 'OLD', 'old ']) {
    t.notOk(await has(kid), kid);
  }
  t.equal(issuer.loads, 1);
});

t.test('a rotated key is found as soon as the cool-down allows to look', async (t) => {
  const { issuer, clock, has } = fixture(old);
  t.ok(await has('old'));
  issuer.keys = [fresh];
  t.notOk(await has('fresh'), 'too early to look again');
  clock.advance(limits.jwksCoolDownMs);
  t.ok(await has('fresh'));
  t.notOk(await has('old'), 'a key that is withdrawn is gone');
});

t.test('a withdrawn key is refused as soon as the set is no longer fresh, by whoever comes first', async (t) => {
  const { issuer, clock, has } = fixture(old);
  t.ok(await has('old'));
  issuer.keys = [fresh];
  clock.advance(limits.jwksFreshMs + 1);
  t.notOk(await has('old'));
});

t.test('while the issuer is down the keys known so far serve, up to their age', async (t) => {
  const { issuer, clock, has } = fixture(old);
  t.ok(await has('old'));
  issuer.keys = [];
  clock.advance(limits.jwksStaleMaxMs);
  t.ok(await has('old'));
  await t.rejects(has('fresh'), unavailable, 'whether it exists cannot be told');
  clock.advance(1);
  await t.rejects(has('old'), unavailable);
  issuer.keys = [old];
  clock.advance(limits.jwksCoolDownMs);
  t.ok(await has('old'));
});

t.test('an issuer that hangs holds up one round of requests, not every one', async (t) => {
  const { issuer, clock, has, source } = fixture(old);
  t.ok(await has('old'));
  issuer.keys = [];
  clock.advance(limits.jwksFreshMs + 1);
  t.ok(await has('old'));
  let release = (): void => undefined;
  issuer.waits = new Promise<void>((resolve) => {
    release = resolve;
  });
  clock.advance(limits.jwksCoolDownMs);
  t.ok(await has('old'), 'served though the attempt has not ended');
  t.equal(issuer.loads, 3);
  release();
  await source.close();
});

t.test('without any keys yet, an issuer that is down is asked once in the cool-down', async (t) => {
  const { issuer, clock, has } = fixture();
  for (let token = 0; token < 20; token++) await t.rejects(has('old'), unavailable);
  t.equal(issuer.loads, 1);
  issuer.keys = [old];
  clock.advance(limits.jwksCoolDownMs);
  t.ok(await has('old'));
});

t.test('an answer that is no key set leaves the keys as they are', async (t) => {
  const clock = standingClock();
  let text = jwksOf(old);
  const source = new JwksSource({ load: async () => text, clock, log: silentLog });
  t.ok(await source.find({ kid: 'old', algorithm: 'EdDSA' }));
  for (text of ['<html>sign in</html>', '{}', '']) {
    clock.advance(limits.jwksFreshMs + 1);
    t.ok(await source.find({ kid: 'old', algorithm: 'EdDSA' }));
  }
});

t.test('a clock that is set changes nothing about the age of keys', async (t) => {
  const clock = standingClock();
  let wallMs = clock.now();
  let loads = 0;
  const load: LoadJwks = async () => {
    loads += 1;
    return jwksOf(old);
  };
  const source = new JwksSource({ load, clock: { ...clock, now: () => wallMs }, log: silentLog });
  for (const step of [0, 10 * limits.jwksStaleMaxMs, -20 * limits.jwksStaleMaxMs]) {
    wallMs += step;
    t.ok(await source.find({ kid: 'old', algorithm: 'EdDSA' }));
  }
  t.equal(loads, 1);
});

t.test('closing ends an attempt under way', async (t) => {
  const load: LoadJwks = (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }));
  const source = new JwksSource({ load, clock: standingClock(), log: silentLog });
  const found = t.rejects(source.find({ kid: 'old', algorithm: 'EdDSA' }), unavailable);
  await source.close();
  await found;
  await source.close();
});

t.test('keys may lie in a file, which is read again when it was replaced', async (t) => {
  const path = join(temporaryFolder(t), 'jwks.json');
  const clock = standingClock();
  const source = new JwksSource({ load: jwksFromFile(path), clock, log: silentLog });
  const has = async (kid: string): Promise<boolean> => (await source.find({ kid, algorithm: 'EdDSA' })) !== undefined;
  await t.rejects(has('old'), unavailable, 'no file');
  const replace = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    clock.advance(limits.jwksCoolDownMs);
  };
  await replace(jwksOf(old));
  t.ok(await has('old'));
  await replace(jwksOf(old, fresh));
  t.ok(await has('fresh'));
  await replace(jwksOf(old).padEnd(limits.jwksSizeMax + 1));
  await t.rejects(has('newer'), unavailable, 'too large');
  await replace(jwksOf(old).padEnd(limits.jwksSizeMax));
  t.notOk(await has('newer'), 'just as large as it may be');
  await rm(path);
  t.ok(await has('old'), 'known so far');
});

t.test('an address that could be read or changed on its way is refused before anything is fetched', async (t) => {
  const refused = [
    'http://id.court.example/jwks',
    'http://localhost.evil.example/jwks',
    'http://127.0.0.1.evil.example/',
    'http://10.0.0.1/jwks',
    'http://[::2]/jwks',
    'https://user:word@id.court.example/jwks',
    'http://user@127.0.0.1/jwks',
    'file:///etc/passwd',
    'data:application/json,{}',
    'ftp://127.0.0.1/jwks',
    '/jwks.json',
    '',
  ];
  for (const text of refused) t.throws(() => jwksFromUrl(text), { code: 'config_invalid' }, text);
  for (const text of ['https://id.court.example/jwks', 'http://127.0.0.1:1/', 'http://[::1]/', 'http://localhost/']) {
    t.type(jwksFromUrl(text), 'function', text);
  }
});
