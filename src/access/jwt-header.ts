import { limits } from '../core/limits.ts';
import { unauthenticated } from './bearer-fault.ts';
import type { JwtObject } from './jwt-parts.ts';

/** Signed with a key whose public half is in a JWKS. */
export const jwksAlgorithms = ['EdDSA', 'ES256', 'RS256'] as const;

export type JwksAlgorithm = (typeof jwksAlgorithms)[number];
export type JwtAlgorithm = JwksAlgorithm | 'HS256';

/**
 * All that is taken from a token's header. What else it may hold, above all `jwk`, `jku`, `x5c` and `x5u`, with which a
 * token would choose the key it is checked with, is never read.
 */
export interface JwtHeader {
  readonly algorithm: JwtAlgorithm;
  /** Names a key. To be compared with the names of known keys, and for nothing else. */
  readonly kid: string | undefined;
}

/**
 * @param allowed the algorithms of the configuration: the token's word counts only within them.
 * @throws QuasarError `unauthenticated` with `token_refused` or `token_malformed`.
 */
export function readJwtHeader(header: JwtObject, allowed: readonly JwtAlgorithm[]): JwtHeader {
  // No extension is known here, so whatever a token calls critical is not understood (RFC 7515 section 4.1.11).
  if (header.has('crit')) throw unauthenticated('token_refused', { log: 'critical header members' });
  const type = header.get('typ');
  if (type !== undefined && !(typeof type === 'string' && TYPE.test(type))) {
    throw unauthenticated('token_refused', { log: 'typ is neither JWT nor at+jwt' });
  }
  const name = header.get('alg');
  const algorithm = allowed.find((one) => one === name);
  if (algorithm === undefined) throw unauthenticated('token_refused', { log: `alg is not ${allowed.join(' or ')}` });
  return { algorithm, kid: readKid(header.get('kid')) };
}

function readKid(kid: unknown): string | undefined {
  if (kid === undefined) return undefined;
  if (typeof kid === 'string' && kid.length > 0 && kid.length <= limits.tokenNameMax) return kid;
  throw unauthenticated('token_malformed', { log: 'kid is not a string of bounded length' });
}

/** RFC 7519 section 5.1, RFC 9068 section 2.1: other kinds of token (of logouts, of proofs) are signed with the same keys. */
const TYPE = /^(application\/)?(at\+)?jwt$/i;
