import t from 'tap';
import { tokenOfFault } from '../../../src/access/bearer-fault.ts';
import { type ClaimRules, readClaims, type VerifiedToken } from '../../../src/access/token-claims.ts';
import { allCapabilities, capabilities, capabilityNames, capabilitySet, noCapabilities } from '../../../src/core/capability.ts';
import { isQuasarError, type QuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { claimsAt } from '../../helpers/jwt-issuer.ts';

const nowMs = Date.UTC(2030, 0, 2, 3, 4, 5);
const now = nowMs / 1000;
const skew = limits.tokenSkewMs / 1000;
const good = claimsAt(nowMs);
const rules: ClaimRules = {
  orgClaim: 'org_id',
  issuer: undefined,
  audience: undefined,
  audienceOnly: false,
  ageMaxMs: limits.tokenAgeMaxMs,
  withoutScope: 'nothing',
};

function read(changes: Record<string, unknown>, changed: Partial<ClaimRules> = {}, latestMs = nowMs): VerifiedToken {
  const claims = Object.entries({ ...good, ...changes }).filter(([, value]) => value !== undefined);
  return readClaims(new Map(claims), { ...rules, ...changed }, { nowMs, latestMs });
}

/** The reason of the refusal, with the claim where one is named; `accepted` otherwise. */
function fateOf(changes: Record<string, unknown>, changed: Partial<ClaimRules> = {}, latestMs = nowMs): string {
  try {
    read(changes, changed, latestMs);
    return 'accepted';
  } catch (error) {
    if (!isQuasarError(error, 'unauthenticated')) throw error;
    return [error.details.reason, error.details.claim].filter((word) => word !== undefined).join(' ');
  }
}

t.test('a whole set of claims says who, for whom, until when and what for', async (t) => {
  t.strictSame(read({ scope: 'doc.read doc.write' }), {
    subject: 'alice',
    orgId: good.org_id,
    jti: 'token-1',
    issuer: undefined,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 600_000,
    takenUntilMs: nowMs + 600_000 + limits.tokenSkewMs,
    scope: capabilitySet('doc.read', 'doc.write'),
  } as VerifiedToken);
});

t.test('iss is told where it is a name, and an odd one is no reason to refuse', async (t) => {
  t.equal(read({ iss: 'https://id.example.org/' }).issuer, 'https://id.example.org/');
  for (const iss of [undefined, '', 7, ['a'], 'a\u0000b', 'x'.repeat(513)]) t.equal(read({ iss }).issuer, undefined);
});

t.test('of a token that has expired it is told whose it says it is, since its signature holds', async (t) => {
  for (const exp of [now - 600, now + 600]) {
    try {
      read({ exp, iat: now - 86_400 * 2 });
      t.fail('it was taken');
    } catch (error) {
      t.same(tokenOfFault(error as QuasarError), { orgId: good.org_id, subject: 'alice', jti: 'token-1' });
    }
  }
});

t.test('exp, iat, sub, jti and the organisation are required', async (t) => {
  for (const claim of ['exp', 'iat', 'sub', 'jti', 'org_id']) {
    for (const value of [undefined, null, '', {}, []]) t.equal(fateOf({ [claim]: value }), `claim_invalid ${claim}`);
  }
});

t.test('exp that is huge, no number, a string, a fraction, zero or negative is refused', async (t) => {
  const values = [Number.POSITIVE_INFINITY, 1e308, 2 ** 53, Number.NaN, '1900000000', now + 0.5, 0, -1, -now, true, [now + 600]];
  for (const exp of values) t.equal(fateOf({ exp }), 'claim_invalid exp', String(exp));
  t.equal(fateOf({ exp: nowMs + 600_000 }), 'claim_invalid exp', 'milliseconds');
  t.equal(fateOf({ exp: now + limits.tokenExpiryAheadMaxMs / 1000 + skew + 1 }), 'claim_invalid exp', 'absurdly far ahead');
  t.equal(fateOf({ exp: now }), 'claim_invalid exp', 'not after iat');
});

t.test('iat and nbf are whole seconds as well', async (t) => {
  for (const claim of ['iat', 'nbf']) {
    for (const value of ['1', -1, 0.5, Number.POSITIVE_INFINITY, null]) {
      t.equal(fateOf({ [claim]: value }), `claim_invalid ${claim}`, `${claim} ${value}`);
    }
  }
});

t.test('a token is good until exp and half a minute longer, for clocks differ', async (t) => {
  t.equal(fateOf({ iat: now - 100, exp: now - skew + 1 }), 'accepted');
  t.equal(fateOf({ iat: now - 100, exp: now - skew }), 'token_expired');
  t.equal(fateOf({ iat: now - 100, exp: now - 99 }), 'token_expired');
});

t.test('nbf or iat in the future is not yet valid, with the same half minute', async (t) => {
  for (const claim of ['nbf', 'iat']) {
    t.equal(fateOf({ [claim]: now + skew }), 'accepted', claim);
    t.equal(fateOf({ [claim]: now + skew + 1 }), 'token_not_yet_valid', claim);
    t.equal(fateOf({ [claim]: now + 300 }), 'token_not_yet_valid', claim);
  }
});

t.test('a clock that goes back an hour revives no expired token, and takes none from the future', async (t) => {
  const hour = 3_600_000;
  t.equal(fateOf({ iat: now - 7200, exp: now + 600 }), 'accepted');
  t.equal(fateOf({ iat: now - 7200, exp: now + 600 }, {}, nowMs + hour), 'token_expired', 'an hour later had been seen before');
  t.equal(fateOf({ iat: now + 3600, exp: now + 7200 }), 'token_not_yet_valid', 'issued by a clock that did not go back');
});

t.test('a token older than allowed is refused, whatever its exp says', async (t) => {
  const ageMaxMs = 3_600_000;
  t.equal(fateOf({ iat: now - 3600 - skew + 1, exp: now + 600 }, { ageMaxMs }), 'accepted');
  t.equal(fateOf({ iat: now - 3600 - skew, exp: now + 600 }, { ageMaxMs }), 'token_too_old');
  t.equal(read({ exp: now + 7200 }, { ageMaxMs }).takenUntilMs, nowMs + ageMaxMs + limits.tokenSkewMs);
});

t.test('sub and jti are bounded text without control characters', async (t) => {
  for (const claim of ['sub', 'jti']) {
    t.equal(fateOf({ [claim]: 'ü'.repeat(limits.tokenNameMax) }), 'accepted');
    const odd = ['a'.repeat(limits.tokenNameMax + 1), 'a\u0000', 'a\nb', '\ud800', 7, ['a'], { a: 1 }];
    for (const value of odd) t.equal(fateOf({ [claim]: value }), `claim_invalid ${claim}`, JSON.stringify(value));
  }
});

t.test('the organisation is one of our ids, in the claim that is configured', async (t) => {
  for (const id of ['court', '*', String(good.org_id).toUpperCase(), `${good.org_id}\n`, ` ${good.org_id}`, [good.org_id]]) {
    t.equal(fateOf({ org_id: id }), 'claim_invalid org_id', JSON.stringify(id));
  }
  const orgClaim = 'https://court.example/org';
  t.equal(read({ [orgClaim]: good.org_id, org_id: 'ignored' }, { orgClaim }).orgId, good.org_id);
  t.equal(fateOf({}, { orgClaim }), `claim_invalid ${orgClaim}`);
});

t.test('iss is compared whole when configured', async (t) => {
  const issuer = 'https://id.court.example';
  t.equal(fateOf({ iss: issuer }, { issuer }), 'accepted');
  t.equal(fateOf({ iss: 'anybody' }), 'accepted', 'not configured');
  for (const iss of [undefined, `${issuer}/`, `${issuer}.evil.example`, issuer.toUpperCase(), [issuer], null]) {
    t.equal(fateOf({ iss }, { issuer }), 'issuer_mismatch', JSON.stringify(iss));
  }
});

t.test('aud may be an array that contains ours; nothing that merely looks like ours is taken', async (t) => {
  const audience = 'quasar';
  for (const aud of ['quasar', ['quasar'], ['other', 'quasar']]) t.equal(fateOf({ aud }, { audience }), 'accepted');
  for (const aud of ['other', 'quasar ', 'quasarx', 'other quasar', 'other,quasar', [], ['other'], ['QUASAR']]) {
    t.equal(fateOf({ aud }, { audience }), 'audience_mismatch', JSON.stringify(aud));
  }
  for (const aud of [undefined, null, 7, { 0: 'quasar', length: 1 }, [['quasar']], ['quasar', 7], ['quasar', null]]) {
    t.equal(fateOf({ aud }, { audience }), 'claim_invalid aud', JSON.stringify(aud));
  }
  t.equal(fateOf({ aud: 'other' }), 'accepted', 'not configured');
});

t.test('where only our audience is allowed, a token for others too is refused', async (t) => {
  const only = { audience: 'quasar', audienceOnly: true };
  for (const aud of ['quasar', ['quasar']]) t.equal(fateOf({ aud }, only), 'accepted');
  for (const aud of [
    ['quasar', 'other'],
    ['quasar', 'quasar'],
  ])
    t.equal(fateOf({ aud }, only), 'audience_mismatch');
});

t.test('a token without a scope may do nothing, or everything where that is configured', async (t) => {
  t.equal(read({}).scope, noCapabilities);
  t.equal(read({}, { withoutScope: 'everything' }).scope, allCapabilities);
  t.equal(read({ scope: '' }, { withoutScope: 'everything' }).scope, noCapabilities, 'an empty one is a scope');
});

t.test('words that are no capability give nothing', async (t) => {
  t.strictSame(capabilityNames(read({ scope: 'openid doc.read profile' }).scope), ['doc.read']);
  for (const scope of ['*', 'DOC.READ', 'doc', 'doc.*', 'constructor', '__proto__', 'doc.reader']) {
    t.equal(read({ scope }).scope, noCapabilities, scope);
  }
  t.equal(read({ scope: capabilities.join(' ') }).scope, allCapabilities);
});

t.test('a scope that is not words with single spaces is refused', async (t) => {
  for (const scope of [
    ['doc.read'],
    7,
    null,
    'doc.read  doc.write',
    ' doc.read',
    'doc.read ',
    'doc.read\tdoc.write',
    'a"b',
    'ü',
  ]) {
    t.equal(fateOf({ scope }), 'claim_invalid scope', JSON.stringify(scope));
  }
});

t.test('a mask with unknown bits, a sign or anything but a whole number is refused', async (t) => {
  const beyond = 2 ** capabilities.length;
  const masks = [
    beyond,
    beyond + 1,
    2 ** 31,
    2 ** 32 + 1,
    2 ** 53,
    -1,
    -(2 ** 31),
    1.5,
    Number.POSITIVE_INFINITY,
    '1',
    [1],
    null,
    true,
  ];
  for (const caps of masks) t.equal(fateOf({ caps }), 'claim_invalid caps', JSON.stringify(caps));
  t.equal(read({ caps: 0 }).scope, noCapabilities);
  t.equal(read({ caps: allCapabilities }).scope, allCapabilities);
});

t.test('of words and mask together only what both give is given', async (t) => {
  const caps = capabilitySet('doc.write', 'doc.read', 'audit.read');
  t.strictSame(capabilityNames(read({ scope: 'doc.read blob.read', caps }).scope), ['doc.read']);
});
