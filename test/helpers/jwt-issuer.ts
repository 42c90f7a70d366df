import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { systemClock } from '../../src/core/clock.ts';
import { newId, type OrgId } from '../../src/core/ids.ts';

export type Algorithm = 'EdDSA' | 'ES256' | 'RS256';

/** A key pair of somebody who issues tokens, or claims to. */
export interface IssuerKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function issuerKey(algorithm: Algorithm, kid: string = `${algorithm}-1`): IssuerKey {
  return { kid, algorithm, ...pairOf(algorithm) };
}

/** As an issuer publishes it. */
export function publicJwk({ kid, algorithm, publicKey }: IssuerKey): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
}

export function jwksOf(...keys: readonly IssuerKey[]): string {
  return JSON.stringify({ keys: keys.map(publicJwk) });
}

/** All a token must say; times in seconds. */
export function claimsAt(nowMs: number): Record<string, unknown> {
  const now = Math.floor(nowMs / 1000);
  return { sub: 'alice', jti: 'token-1', org_id: newId<OrgId>(systemClock), iat: now, exp: now + 600 };
}

/** Header and payload are objects, or text where the spelling matters. Signed with node:crypto alone. */
export function signJwt(key: IssuerKey, payload: object | string, header: object | string = {}): string {
  const whole = typeof header === 'string' ? header : { alg: key.algorithm, kid: key.kid, ...header };
  const input = `${encode(whole)}.${encode(payload)}`;
  const bytes = Buffer.from(input);
  const signature =
    key.algorithm === 'EdDSA'
      ? sign(null, bytes, key.privateKey)
      : sign('sha256', bytes, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

export function signHs256(secret: string | Buffer, payload: object | string, header: object = {}): string {
  const input = `${encode({ alg: 'HS256', ...header })}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** A part of a token; bytes where even UTF-8 is in question. */
export function encode(part: object | string | Buffer): string {
  return Buffer.from(Buffer.isBuffer(part) || typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function pairOf(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}
