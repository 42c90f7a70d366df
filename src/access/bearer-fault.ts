import { QuasarError } from '../core/errors.ts';

/** Why credentials are refused, in words that may be told to whoever sent them. docs/errors.md explains each. */
export type BearerFault =
  | 'credentials_missing'
  | 'credentials_malformed'
  | 'api_key_malformed'
  | 'token_malformed'
  | 'token_refused'
  | 'signing_key_unknown'
  | 'signature_invalid'
  | 'claim_invalid'
  | 'token_expired'
  | 'token_too_old'
  | 'token_not_yet_valid'
  | 'issuer_mismatch'
  | 'audience_mismatch'
  | 'token_revoked';

export interface FaultContext {
  /** For the log alone, as the error's cause: it may tell what was expected. Never a token, a key or a signature. */
  readonly log: string;
  /** The claim that is not what it must be. */
  readonly claim?: string;
  readonly cause?: unknown;
}

/** The one failure of all credentials: `unauthenticated` with `details.reason`. */
export function unauthenticated(reason: BearerFault, { log, claim, cause }: FaultContext): QuasarError {
  const forLog = new Error(log, cause === undefined ? undefined : { cause });
  // Refusing a token is no bug, and a log full of stacks hides those that are.
  delete forLog.stack;
  return new QuasarError('unauthenticated', {
    op: 'access.authenticate',
    details: claim === undefined ? { reason } : { reason, claim },
    cause: forLog,
  });
}
