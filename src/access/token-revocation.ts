import { unauthenticated } from './bearer-fault.ts';
import type { RevocationName, Revocations } from './revocations.ts';
import type { VerifiedToken } from './token-claims.ts';

/** All that can be revoked about a token: itself, whom it was issued to, and their organisation. */
export function revocableNames({ jti, subject, orgId }: VerifiedToken): readonly RevocationName[] {
  return [
    { kind: 'token', orgId, id: jti },
    { kind: 'principal', orgId, id: subject },
    { kind: 'org', orgId, id: orgId },
  ];
}

/**
 * `unknown` when the memory of this process cannot tell and the database must be asked.
 * @throws QuasarError `unauthenticated` with `token_revoked`, whatever was revoked.
 */
export function refuseRevoked(token: VerifiedToken, revocations: Revocations): 'clear' | 'unknown' {
  const states = revocableNames(token).map((name) => ({ name, state: revocations.stateOf(name) }));
  const revoked = states.find(({ state }) => state === 'revoked');
  if (revoked !== undefined) throw unauthenticated('token_revoked', { log: `its ${revoked.name.kind} is revoked` });
  return states.some(({ state }) => state === 'unknown') ? 'unknown' : 'clear';
}
