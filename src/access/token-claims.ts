import {
  allCapabilities,
  type Capability,
  type CapabilitySet,
  capabilities,
  capabilitySet,
  intersectionOf,
  noCapabilities,
  parseCapabilityMask,
} from '../core/capability.ts';
import { isId, type OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { type ClaimedToken, unauthenticated } from './bearer-fault.ts';
import type { JwtObject } from './jwt-parts.ts';

export interface VerifiedToken {
  /** Who it was issued to, in the issuer's words: the principal with this subject. At most `limits.tokenNameMax` characters. */
  readonly subject: string;
  readonly orgId: OrgId;
  readonly jti: string;
  /** `iss`, when it has one that is a name. */
  readonly issuer: string | undefined;
  readonly issuedAtMs: number;
  /** `exp` itself. */
  readonly expiresAtMs: number;
  /** From then on it is refused: by `exp` or by its age, each with `limits.tokenSkewMs` on top. */
  readonly takenUntilMs: number;
  /** What the token may be used for at most; it gives nothing that the principal has not. */
  readonly scope: CapabilitySet;
}

export interface ClaimRules {
  /** The claim that holds the organisation's id: `org_id`, or a name that is a URL where an issuer insists on one. */
  readonly orgClaim: string;
  /** Compared when defined, character by character. */
  readonly issuer: string | undefined;
  /** Must be among the audiences of the token when defined. */
  readonly audience: string | undefined;
  /** Must be the only audience: for issuers that hand one token to several servers, which could then use it here. */
  readonly audienceOnly: boolean;
  readonly ageMaxMs: number;
  /** What a token without `scope` and `caps` may do. `nothing` unless the issuer cannot say. */
  readonly withoutScope: 'nothing' | 'everything';
}

export interface TokenTime {
  readonly nowMs: number;
  /** The latest time this process has seen: a token that has expired stays so when the clock is set back. */
  readonly latestMs: number;
}

/**
 * Reads the claims of a token whose signature holds. Pure.
 * @throws QuasarError `unauthenticated`; `details.claim` names a claim that is missing or not what it must be.
 */
export function readClaims(claims: JwtObject, rules: ClaimRules, time: TokenTime): VerifiedToken {
  const issuedAtMs = readTime(claims, 'iat');
  const expiresAtMs = readTime(claims, 'exp');
  const notBeforeMs = claims.has('nbf') ? readTime(claims, 'nbf') : issuedAtMs;
  const token = {
    subject: readName(claims, 'sub'),
    orgId: readOrg(claims, rules.orgClaim),
    jti: readName(claims, 'jti'),
    issuer: findIssuer(claims),
    issuedAtMs,
    expiresAtMs,
    takenUntilMs: Math.min(expiresAtMs, issuedAtMs + rules.ageMaxMs) + limits.tokenSkewMs,
    scope: readScope(claims, rules),
  };
  checkIssuer(claims, rules);
  checkAudience(claims, rules);
  checkTimes({ issuedAtMs, expiresAtMs, notBeforeMs }, rules, time, token);
  return token;
}

/** Where the issuer is not looked at, an odd one is no reason to refuse. */
function findIssuer(claims: JwtObject): string | undefined {
  const issuer = claims.get('iss');
  const named = typeof issuer === 'string' && issuer !== '' && issuer.length <= ISSUER_MAX && !UNPRINTABLE.test(issuer);
  return named ? issuer : undefined;
}

function checkTimes(
  token: { readonly issuedAtMs: number; readonly expiresAtMs: number; readonly notBeforeMs: number },
  { ageMaxMs }: ClaimRules,
  { nowMs, latestMs }: TokenTime,
  claimed: ClaimedToken,
): void {
  const { tokenSkewMs: skew, tokenExpiryAheadMaxMs: aheadMax } = limits;
  if (token.expiresAtMs <= token.issuedAtMs) throw invalid('exp', 'not after iat');
  if (token.expiresAtMs - nowMs > aheadMax + skew) throw invalid('exp', 'too far ahead');
  if (latestMs >= token.expiresAtMs + skew) throw refused('token_expired', latestMs - token.expiresAtMs, claimed);
  if (latestMs - token.issuedAtMs >= ageMaxMs + skew) throw refused('token_too_old', latestMs - token.issuedAtMs, claimed);
  const startsAtMs = Math.max(token.notBeforeMs, token.issuedAtMs);
  if (startsAtMs - nowMs > skew) throw refused('token_not_yet_valid', startsAtMs - nowMs, claimed);
}

/** Whole seconds since 1970 on the wire. */
function readTime(claims: JwtObject, claim: string): number {
  const seconds = claims.get(claim);
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds <= 0 || seconds > SECONDS_MAX) {
    throw invalid(claim, 'not a time in whole seconds');
  }
  return seconds * 1000;
}

function readName(claims: JwtObject, claim: string): string {
  const name = claims.get(claim);
  if (typeof name === 'string' && name.length > 0 && name.length <= limits.tokenNameMax && !UNPRINTABLE.test(name)) return name;
  throw invalid(claim, 'not a string of bounded length without control characters');
}

function readOrg(claims: JwtObject, claim: string): OrgId {
  const id = claims.get(claim);
  if (typeof id === 'string' && isId(id)) return id as OrgId;
  throw invalid(claim, 'not a lower-case UUID');
}

/** Both claims may be there; then both must allow. Words that are no capability (`openid`) give nothing. */
function readScope(claims: JwtObject, { withoutScope }: ClaimRules): CapabilitySet {
  if (!claims.has('scope') && !claims.has('caps')) return withoutScope === 'everything' ? allCapabilities : noCapabilities;
  const words = claims.has('scope') ? readWords(claims.get('scope')) : allCapabilities;
  return intersectionOf(words, claims.has('caps') ? readMask(claims.get('caps')) : allCapabilities);
}

function readWords(scope: unknown): CapabilitySet {
  if (typeof scope !== 'string' || !SCOPE.test(scope)) throw invalid('scope', 'not words with single spaces between them');
  return capabilitySet(...scope.split(' ').filter((word): word is Capability => capabilityNames.has(word)));
}

function readMask(caps: unknown): CapabilitySet {
  try {
    return parseCapabilityMask(caps);
  } catch (cause) {
    throw invalid('caps', 'not a mask of known capabilities', cause);
  }
}

function checkIssuer(claims: JwtObject, { issuer }: ClaimRules): void {
  if (issuer !== undefined && claims.get('iss') !== issuer) {
    throw unauthenticated('issuer_mismatch', { log: `iss is not ${issuer}` });
  }
}

/** RFC 7519 section 4.1.3: a string, or an array of strings in which ours is one. */
function checkAudience(claims: JwtObject, { audience, audienceOnly }: ClaimRules): void {
  if (audience === undefined) return;
  const value = claims.get('aud');
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!all.every((one) => typeof one === 'string')) throw invalid('aud', 'neither a string nor an array of strings');
  if (!all.includes(audience) || (audienceOnly && all.length > 1)) {
    throw unauthenticated('audience_mismatch', { log: `aud is not ${audience}${audienceOnly ? ' alone' : ''}` });
  }
}

function invalid(claim: string, why: string, cause?: unknown): Error {
  return unauthenticated('claim_invalid', { log: `${claim}: ${why}`, claim, cause });
}

function refused(
  reason: 'token_expired' | 'token_too_old' | 'token_not_yet_valid',
  byMs: number,
  { orgId, subject, jti }: ClaimedToken,
): Error {
  return unauthenticated(reason, { log: `${reason} by ${byMs} ms`, token: { orgId, subject, jti } });
}

/** Characters of `iss` that an event of the audit log takes. */
const ISSUER_MAX = 512;
/** The last second a Date can hold. */
const SECONDS_MAX = 8_640_000_000_000;
const UNPRINTABLE = /[\p{Cc}\p{Surrogate}]/u;
/** RFC 6749 section 3.3. Empty, it is a scope without words. */
const SCOPE = /^(?:[!#-[\]-~]+(?: [!#-[\]-~]+)*)?$/;
const capabilityNames: ReadonlySet<string> = new Set(capabilities);
