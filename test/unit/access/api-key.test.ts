import { inspect } from 'node:util';
import t from 'tap';
import { type ApiKey, macOf, newApiKey, parseApiKey, type StoredApiKey, verifyApiKey } from '../../../src/access/api-key.ts';
import { Secret } from '../../../src/config/secret.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { isQuasarError } from '../../../src/core/errors.ts';

const pepper = new Secret('pepper of the test');
const now = 1_700_000_000_000;
const digits = '0123456789abcdefghjkmnpqrstvwxyz';

/** The time of RFC 9562, appendix A.6, and bytes that count up. */
const counting: Clock = {
  now: () => 0x017f22e279b0,
  monotonic: () => 0,
  random: (size) => Uint8Array.from({ length: size }, (_, index) => index),
};
/** Computed apart, with Python's zlib and hmac. */
const pinned = {
  id: '017f22e2-79b0-7607-8809-0a0b0c0d0e0f',
  text: 'quasar_01fwhe4ydger3rg28a1c60t3gf_000g40r40m30e209185gr38e1w8124gk355wc55',
  mac: '43dc64a04fa01c954812b1b1ca53c3b75d9bea15ba0c2b3457a89ef1aca391a9',
};

function stored(key: ApiKey, changes: Partial<StoredApiKey> = {}): StoredApiKey {
  return { mac: macOf(key, pepper), expiresAt: undefined, revokedAt: undefined, ...changes };
}

function refusalOf(text: string): unknown {
  try {
    return parseApiKey(text);
  } catch (error) {
    return error;
  }
}

t.test('keys of this format stay what they are', async (t) => {
  const key = newApiKey(counting);
  t.match(key, { id: pinned.id });
  t.equal(key.text.reveal(), pinned.text);
  t.equal(parseApiKey(pinned.text).id, pinned.id);
  t.equal(macOf(key, pepper).toString('hex'), pinned.mac);
});

t.test('a new key is read back, and is good', async (t) => {
  for (let turn = 0; turn < 100; turn++) {
    const key = newApiKey(systemClock);
    const parsed = parseApiKey(key.text.reveal());
    t.equal(parsed.id, key.id);
    t.equal(verifyApiKey(parsed, stored(key), { pepper, now }), 'good');
  }
});

t.test('new keys differ in id and secret', async (t) => {
  const texts = Array.from({ length: 200 }, () => newApiKey(systemClock).text.reveal());
  t.equal(new Set(texts.map((text) => text.slice(7, 33))).size, 200);
  t.equal(new Set(texts.map((text) => text.slice(34, 66))).size, 200);
});

t.test('a key is not printed by chance', async (t) => {
  const key = parseApiKey(newApiKey(systemClock).text.reveal());
  for (const shown of [JSON.stringify(key), inspect(key, { depth: 9 }), String(key.text)]) {
    t.notOk(shown.includes(key.text.reveal().slice(34, 66)));
  }
});

t.test('a key with one wrong letter is mistyped, wherever the letter is', async (t) => {
  const text = newApiKey(systemClock).text.reveal();
  for (let at = 0; at < text.length; at++) {
    const missed = [...digits, '_', 'A', ' '].filter((letter) => {
      if (letter === text[at]) return false;
      return !isQuasarError(refusalOf(text.slice(0, at) + letter + text.slice(at + 1)), 'unauthenticated');
    });
    t.same(missed, [], `letter ${at}`);
  }
});

t.test('a key with two neighbours swapped, a letter dropped or doubled is mistyped', async (t) => {
  const text = newApiKey(systemClock).text.reveal();
  for (let at = 0; at < text.length; at++) {
    const swapped = text.slice(0, at) + text.slice(at + 1, at + 2) + text.slice(at, at + 1) + text.slice(at + 2);
    const wrong = [
      text.slice(0, at) + text.slice(at + 1),
      text.slice(0, at + 1) + text.slice(at),
      ...(swapped === text ? [] : [swapped]),
    ];
    for (const one of wrong) t.ok(isQuasarError(refusalOf(one), 'unauthenticated'), `letter ${at}`);
  }
});

t.test('what is no key is refused as such, and never quoted', async (t) => {
  const text = newApiKey(systemClock).text.reveal();
  const odd = ['', 'quasar_', `${text}\n`, ` ${text}`, text.toUpperCase(), `${text}${text}`, text.slice(0, -1), `\0${text}`];
  for (const one of [...odd, text.replace('quasar', 'quazar'), text.replaceAll('_', '-'), 'q'.repeat(1_000_000)]) {
    const error = refusalOf(one);
    t.match(error, { code: 'unauthenticated', details: { reason: 'api_key_malformed' } });
    if (one.length > 10) t.notOk(inspect(error, { depth: 9 }).includes(one.slice(8, 40)), 'the text is not in the error');
  }
});

t.test('an unknown id and a wrong secret are told the same', async (t) => {
  const key = newApiKey(systemClock);
  const other = newApiKey(systemClock);
  t.equal(verifyApiKey(key, undefined, { pepper, now }), 'unknown');
  t.equal(verifyApiKey(key, stored(other), { pepper, now }), 'unknown');
  t.equal(verifyApiKey(key, stored(other, { revokedAt: 1, expiresAt: 1 }), { pepper, now }), 'unknown');
});

t.test('a right prefix with a wrong secret is unknown, down to one bit of what is stored', async (t) => {
  const key = newApiKey(systemClock);
  const { mac } = stored(key);
  for (let bit = 0; bit < mac.byteLength * 8; bit++) {
    const flipped = Buffer.from(mac);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    t.equal(verifyApiKey(key, stored(key, { mac: flipped }), { pepper, now }), 'unknown');
  }
  for (const size of [0, 16, 31])
    t.equal(verifyApiKey(key, stored(key, { mac: mac.subarray(0, size) }), { pepper, now }), 'unknown');
});

t.test('another pepper knows no key, and a row moved to another id fits none', async (t) => {
  const key = newApiKey(systemClock);
  const thief = newApiKey(systemClock);
  t.equal(verifyApiKey(key, stored(key), { pepper: new Secret('another'), now }), 'unknown');
  t.equal(verifyApiKey({ id: key.id, text: thief.text }, stored(key), { pepper, now }), 'unknown');
});

t.test('a revoked or expired key is told so, to whoever has its secret', async (t) => {
  const key = newApiKey(systemClock);
  t.equal(verifyApiKey(key, stored(key, { revokedAt: now - 1 }), { pepper, now }), 'revoked');
  t.equal(verifyApiKey(key, stored(key, { expiresAt: now }), { pepper, now }), 'expired');
  t.equal(verifyApiKey(key, stored(key, { expiresAt: now + 1 }), { pepper, now }), 'good');
  t.equal(verifyApiKey(key, stored(key, { expiresAt: now - 1, revokedAt: now - 1 }), { pepper, now }), 'revoked');
});
