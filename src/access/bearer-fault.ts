import { QuasarError } from '../core/errors.ts';
import type { OrgId } from '../core/ids.ts';

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

/** Whose a token says it is, once its signature holds. */
export interface ClaimedToken {
  readonly orgId: OrgId;
  readonly subject: string;
  readonly jti: string;
}

export interface FaultContext {
  /** For the log alone, as the error's cause: it may tell what was expected. Never a token, a key or a signature. */
  readonly log: string;
  /** The claim that is not what it must be. */
  readonly claim?: string;
  /** For the audit log alone. */
  readonly token?: ClaimedToken;
  readonly cause?: unknown;
}

/** What is known of a refused credential beside the reason. */
class CredentialFault extends Error {
  readonly token: ClaimedToken | undefined;

  constructor(message: string, token: ClaimedToken | undefined, options: ErrorOptions | undefined) {
    super(message, options);
    this.token = token;
    // Refusing a token is no bug, and a log full of stacks hides those that are.
    delete this.stack;
  }
}

/** The token that was refused, when its signature held. */
export function tokenOfFault(error: QuasarError): ClaimedToken | undefined {
  return error.cause instanceof CredentialFault ? error.cause.token : undefined;
}

/** The one failure of all credentials: `unauthenticated` with `details.reason`. */
export function unauthenticated(reason: BearerFault, { log, claim, token, cause }: FaultContext): QuasarError {
  const forLog = new CredentialFault(log, token, cause === undefined ? undefined : { cause });
  return new QuasarError('unauthenticated', {
    op: 'access.authenticate',
    details: claim === undefined ? { reason } : { reason, claim },
    cause: forLog,
  });
}
