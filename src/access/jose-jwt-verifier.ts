import { createSecretKey, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import type { Secret } from '../config/secret.ts';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { unauthenticated } from './bearer-fault.ts';
import type { SigningKeys } from './jwks-source.ts';
import { type JwksAlgorithm, type JwtAlgorithm, type JwtHeader, jwksAlgorithms, readJwtHeader } from './jwt-header.ts';
import { splitJwt } from './jwt-parts.ts';
import type { JwtVerifier } from './jwt-verifier.ts';
import { type ClaimRules, readClaims, type VerifiedToken } from './token-claims.ts';

/** Published keys or a shared secret, never both: with both, a published key could be taken for the secret. */
export type JwtKeys =
  | { readonly kind: 'jwks'; readonly source: SigningKeys; readonly algorithms: readonly JwksAlgorithm[] }
  | { readonly kind: 'secret'; readonly secret: Secret };

export interface JoseJwtVerifierOptions {
  readonly keys: JwtKeys;
  readonly rules: ClaimRules;
  readonly clock: Clock;
}

/** Form, header, key, signature, claims, in this order; jose has the signature. */
export class JoseJwtVerifier implements JwtVerifier {
  readonly #clock: Clock;
  readonly #rules: ClaimRules;
  readonly #algorithms: readonly JwtAlgorithm[];
  readonly #find: (header: JwtHeader) => Promise<KeyObject | undefined>;
  #latestMs = 0;

  /** @throws QuasarError `config_invalid` for a secret that is too short, and for algorithms that are none of `jwksAlgorithms`. */
  constructor({ keys, rules, clock }: JoseJwtVerifierOptions) {
    this.#clock = clock;
    this.#rules = rules;
    if (keys.kind === 'secret') {
      const key = secretKey(keys.secret);
      this.#algorithms = ['HS256'];
      this.#find = async () => key;
    } else {
      const algorithms = checkAlgorithms(keys.algorithms);
      this.#algorithms = algorithms;
      this.#find = async ({ algorithm, kid }) => (algorithm === 'HS256' ? undefined : keys.source.find({ algorithm, kid }));
    }
  }

  async verify(token: string): Promise<VerifiedToken> {
    if (token.length > limits.bearerMax) throw unauthenticated('token_malformed', { log: 'longer than the limit' });
    const { header, payload } = splitJwt(token);
    const wanted = readJwtHeader(header, this.#algorithms);
    const key = await this.#find(wanted);
    if (key === undefined) throw unauthenticated('signing_key_unknown', { log: `no key ${JSON.stringify(wanted.kid)}` });
    await checkSignature(token, key, wanted.algorithm);
    const nowMs = this.#clock.now();
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    return readClaims(payload, this.#rules, { nowMs, latestMs: this.#latestMs });
  }
}

async function checkSignature(token: string, key: KeyObject, algorithm: JwtAlgorithm): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    throw unauthenticated('signature_invalid', { log: `the ${algorithm} signature does not hold: ${why}` });
  }
}

function secretKey(secret: Secret): KeyObject {
  const bytes = Buffer.from(secret.reveal(), 'utf8');
  if (bytes.byteLength < limits.tokenSecretSizeMin) {
    throw invalid(`The secret of HS256 tokens must have at least ${limits.tokenSecretSizeMin} bytes.`);
  }
  return createSecretKey(bytes);
}

/** Configuration is text before it is a type. */
function checkAlgorithms(names: readonly string[]): readonly JwksAlgorithm[] {
  const known = jwksAlgorithms.filter((algorithm) => names.includes(algorithm));
  if (names.length > 0 && known.length === new Set(names).size) return known;
  throw invalid(`The algorithms of tokens must be some of ${jwksAlgorithms.join(', ')}.`);
}

function invalid(message: string): QuasarError {
  return new QuasarError('config_invalid', { op: 'access.openVerifier', message });
}
