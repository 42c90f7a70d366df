import { createPublicKey, type KeyObject } from 'node:crypto';
import { limits } from '../core/limits.ts';
import type { JwksAlgorithm } from './jwt-header.ts';

/** A key that signatures are checked with: bound to one algorithm, whatever a token says. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly algorithm: JwksAlgorithm;
  /** Public. */
  readonly key: KeyObject;
}

export interface JwksDocument {
  /** In the order of the document; of two with the same kid and algorithm the first. */
  readonly keys: readonly SigningKey[];
  /** Keys for other purposes or of kinds not taken here. A set for everybody's use has some. */
  readonly skipped: number;
}

/**
 * Reads a JWK set (RFC 7517). Pure.
 * Symmetric and private keys are skipped: a secret that is published checks nothing.
 * @throws Error when the text is no JWK set, or one with more than `limits.jwksKeysMax` keys.
 */
export function parseJwks(text: string): JwksDocument {
  const set: unknown = JSON.parse(text);
  const listed = isObject(set) ? set.keys : undefined;
  if (!Array.isArray(listed)) throw new Error('no JWK set: there is no array "keys"');
  if (listed.length > limits.jwksKeysMax) throw new Error(`a JWK set of more than ${limits.jwksKeysMax} keys`);
  const keys: SigningKey[] = [];
  for (const jwk of listed) {
    const key = isObject(jwk) ? readKey(jwk) : undefined;
    if (key !== undefined && !keys.some((other) => isSameName(key, other))) keys.push(key);
  }
  return { keys, skipped: listed.length - keys.length };
}

/** Two keys without a name are not the same: no token can mean one of them. */
function isSameName(a: SigningKey, b: SigningKey): boolean {
  return a.kid !== undefined && a.kid === b.kid && a.algorithm === b.algorithm;
}

/** The key a token names. One that names none gets the only key of its algorithm, if there is only one. */
export function findKey(keys: readonly SigningKey[], wanted: WantedKey): KeyObject | undefined {
  const fitting = keys.filter(({ algorithm }) => algorithm === wanted.algorithm);
  if (wanted.kid !== undefined) return fitting.find(({ kid }) => kid === wanted.kid)?.key;
  return fitting.length === 1 ? fitting[0]?.key : undefined;
}

export interface WantedKey {
  readonly algorithm: JwksAlgorithm;
  readonly kid: string | undefined;
}

type Jwk = Readonly<Record<string, unknown>>;

function readKey(jwk: Jwk): SigningKey | undefined {
  const algorithm = algorithmOf(jwk);
  const { kid, use, key_ops: operations, d } = jwk;
  const forSigning = (use === undefined || use === 'sig') && (!Array.isArray(operations) || operations.includes('verify'));
  const named = kid === undefined || (typeof kid === 'string' && kid.length > 0 && kid.length <= limits.tokenNameMax);
  if (algorithm === undefined || !forSigning || !named || d !== undefined) return undefined;
  const key = importKey(jwk);
  return key === undefined || !isStrong(key) ? undefined : { kid, algorithm, key };
}

function algorithmOf({ kty, crv, alg }: Jwk): JwksAlgorithm | undefined {
  if (kty === 'OKP' && crv === 'Ed25519') return alg === undefined || alg === 'EdDSA' || alg === 'Ed25519' ? 'EdDSA' : undefined;
  if (kty === 'EC' && crv === 'P-256') return alg === undefined || alg === 'ES256' ? 'ES256' : undefined;
  if (kty === 'RSA') return alg === undefined || alg === 'RS256' ? 'RS256' : undefined;
  return undefined;
}

/** Undefined for numbers that are no key: one such entry must not take the others down. */
function importKey(jwk: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return asymmetricKeyType !== 'rsa' || (bits >= limits.rsaModulusMin && bits <= limits.rsaModulusMax);
}

function isObject(value: unknown): value is Jwk {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
