import type { Config } from '../config/config.ts';
import { readSecret } from '../config/secrets.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { CachingJwtVerifier } from './caching-jwt-verifier.ts';
import { JoseJwtVerifier, type JwtKeys } from './jose-jwt-verifier.ts';
import { JwksSource, jwksFromFile, jwksFromUrl } from './jwks-source.ts';
import type { JwtVerifier } from './jwt-verifier.ts';
import type { ClaimRules } from './token-claims.ts';

export interface OpenedJwtVerifier {
  /** Undefined: no tokens are taken. */
  readonly verifier: JwtVerifier | undefined;
  /** No token may be verified afterwards. Waits for a request for keys under way, which is cut short. */
  close(): Promise<void>;
}

export interface JwtVerifierDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The verifier the configuration asks for. A JWK set is read with the first token, so that a server starts while its
 * provider of identities does not.
 * @throws QuasarError `config_invalid` for a shared secret that is missing, readable by others or too short.
 */
export async function openJwtVerifier({ tokens }: Pick<Config, 'tokens'>, deps: JwtVerifierDeps): Promise<OpenedJwtVerifier> {
  const { keys, algorithms } = tokens;
  if (keys === undefined) return { verifier: undefined, close: async () => undefined };
  if (keys.kind === 'sharedSecret') {
    const secret = await readSecret(keys.secret);
    return { verifier: verifierOf({ kind: 'secret', secret }, tokens, deps), close: async () => undefined };
  }
  const load = keys.kind === 'jwksUrl' ? jwksFromUrl(keys.url) : jwksFromFile(keys.path);
  const source = new JwksSource({ load, ...deps });
  return { verifier: verifierOf({ kind: 'jwks', source, algorithms }, tokens, deps), close: () => source.close() };
}

function verifierOf(keys: JwtKeys, rules: ClaimRules, { clock }: JwtVerifierDeps): JwtVerifier {
  return new CachingJwtVerifier(new JoseJwtVerifier({ keys, rules, clock }), clock);
}
