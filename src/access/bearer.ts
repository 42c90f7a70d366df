import { limits } from '../core/limits.ts';
import { unauthenticated } from './bearer-fault.ts';

/** What a request carries to say who it is. The form alone tells the kinds apart; nothing about it is verified yet. */
export interface Bearer {
  readonly kind: 'api_key' | 'jwt';
  readonly token: string;
}

/** Every API key begins with this; no JWT does, since a JSON object in base64url begins otherwise. */
export const API_KEY_PREFIX = 'quasar_';

/**
 * Reads the value of an `Authorization` header (RFC 6750 section 2.1, the only place credentials are taken from).
 * @throws QuasarError `unauthenticated` with `credentials_missing` or `credentials_malformed`.
 */
export function parseBearer(authorization: string | undefined): Bearer {
  if (authorization === undefined || authorization === '') {
    throw unauthenticated('credentials_missing', { log: 'no Authorization header' });
  }
  if (authorization.length > SCHEME_MAX + limits.bearerMax) throw malformed('longer than the limit');
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw malformed('not Bearer and a token68');
  if (token.length > limits.bearerMax) throw malformed('longer than the limit');
  if (token.startsWith(API_KEY_PREFIX)) return { kind: 'api_key', token };
  if (JWT_FORM.test(token)) return { kind: 'jwt', token };
  throw malformed('neither an API key nor a signed JWT');
}

function malformed(why: string): Error {
  return unauthenticated('credentials_malformed', { log: `Authorization header: ${why}` });
}

/** "Bearer" and a few spaces. */
const SCHEME_MAX = 16;
/** RFC 9110 section 11.4: a scheme in any case, spaces, token68. */
const BEARER = /^bearer {1,10}([A-Za-z0-9._~+/-]+=*)$/i;
/** Three parts. The last may be empty here: an unsigned token is one for the verifier to refuse by name. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/;
