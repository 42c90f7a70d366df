import { hash } from 'node:crypto';
import type { EventCredential } from '../audit/event-origin.ts';
import type { EventWindows } from '../audit/event-windows.ts';
import type { Secret } from '../config/secret.ts';
import type { CapabilitySet } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { KeyId, OrgId, PrincipalId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { AccessEpochs } from './access-epochs.ts';
import { parseApiKey, verifyApiKey } from './api-key.ts';
import { parseBearer } from './bearer.ts';
import { type BearerFault, tokenOfFault, unauthenticated } from './bearer-fault.ts';
import type { Arrival, CredentialRefusal, CredentialRefusals } from './credential-refusals.ts';
import type { JwtVerifier } from './jwt-verifier.ts';
import type { KeyStore } from './key-store.ts';
import { withinOrg } from './operators-only.ts';
import type { PrincipalStore } from './principal-store.ts';
import type { RevocationStore } from './revocation-store.ts';
import type { Session } from './session.ts';

export interface AuthenticatorOptions {
  readonly keys: KeyStore;
  readonly principals: PrincipalStore;
  readonly revocations: RevocationStore;
  /** Undefined: no issuer is configured, and every token is refused. */
  readonly verifier: JwtVerifier | undefined;
  readonly pepper: Secret;
  readonly operatorOrgId: OrgId;
  readonly epochs: AccessEpochs;
  readonly windows: Pick<EventWindows, 'note'>;
  readonly refusals: CredentialRefusals;
  readonly clock: Clock;
  readonly log: Log;
}

interface Kept {
  readonly session: Session;
  readonly epoch: number;
  readonly untilMs: number;
  /** Whose last use is kept. */
  readonly keyId: KeyId | undefined;
  notedAtMs: number;
}

/** What came in a header, once its form is right. */
interface Presented extends Arrival {
  readonly kind: 'api_key' | 'jwt';
  readonly text: string;
  readonly digest: string;
}

/** Why a credential is refused, and of whom it is known to be. */
interface Refused {
  readonly error: QuasarError;
  /** Undefined: nobody's that is known. */
  readonly owner?: {
    readonly orgId: OrgId;
    readonly resource: { readonly kind: 'key' | 'token'; readonly id: string };
    readonly reason: string;
    readonly credential: EventCredential;
  };
  readonly claims?: CredentialRefusal['claims'];
}

/**
 * Turns the `Authorization` header into a session. Those that were taken are remembered until something about the org changes.
 * Those that are refused are noted: in their org's log when they were good once, else in the operator's.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  /** By the SHA-256 of the header, so that no credential is kept; the oldest goes first. */
  readonly #kept = new Map<string, Kept>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * No promise when the credential was seen before.
   * @throws QuasarError `unauthenticated`, `rate_limited`, `identity_unavailable`, `database_unavailable`, `audit_unavailable`.
   */
  authenticate(authorization: string | undefined, arrival: Arrival): Session | Promise<Session> {
    const bearer = readBearer(authorization);
    if (bearer instanceof QuasarError) return this.#refuseMalformed(bearer, arrival);
    const digest = hash('sha256', bearer.token, 'base64');
    const kept = this.#kept.get(digest);
    const { epochs, clock } = this.#options;
    const now = clock.now();
    if (
      kept !== undefined &&
      epochs.listening &&
      epochs.identities.epochOf(kept.session.orgId) <= kept.epoch &&
      now < kept.untilMs
    ) {
      this.#noteUse(kept, now);
      return kept.session;
    }
    if (kept !== undefined) this.#kept.delete(digest);
    const { requestId, address } = arrival;
    const presented: Presented = { kind: bearer.kind, text: bearer.token, digest, requestId, address };
    // Whoever was good here a moment ago is not kept out by others at his address who try what is not.
    return kept !== undefined ? this.#lookUp(presented) : this.#admitAndLookUp(presented);
  }

  async #admitAndLookUp(presented: Presented): Promise<Session> {
    const { refusals } = this.#options;
    await refusals.admit(presented);
    try {
      const session = await this.#lookUp(presented);
      refusals.giveBack(presented);
      return session;
    } catch (error) {
      if (!isQuasarError(error, 'unauthenticated')) refusals.giveBack(presented);
      throw error;
    }
  }

  async #refuseMalformed(error: QuasarError, arrival: Arrival): Promise<never> {
    const { refusals } = this.#options;
    await refusals.admit(arrival);
    await refusals.note({ ...arrival, kind: 'malformed', reason: 'credentials_malformed' });
    throw error;
  }

  async #lookUp(presented: Presented): Promise<Session> {
    const found = await (presented.kind === 'api_key' ? this.#takeKey(presented) : this.#takeToken(presented)).catch(toRefused);
    if (!('error' in found)) return found;
    await this.#noteRefused(found, presented);
    throw found.error;
  }

  async #takeKey({ text, digest }: Presented): Promise<Session | Refused> {
    const { keys, pepper, clock, epochs } = this.#options;
    const key = parseApiKey(text);
    const epoch = epochs.identities.now;
    const found = await keys.findKey(key.id);
    const verdict = verifyApiKey(key, found, { pepper, now: clock.now() });
    const fate = verdict === 'good' && found?.suspended ? 'suspended' : verdict;
    const credential = { kind: 'api_key', id: key.id } as const;
    if (found === undefined || fate !== 'good') {
      const error = refusal(FAULT_OF_FATE[fate], `the API key is ${fate}`);
      // With a wrong secret it must look as if there were no such key.
      if (found === undefined || fate === 'unknown') return { error, claims: { keyId: key.id } };
      return { error, owner: { orgId: found.orgId, resource: { kind: 'key', id: key.id }, reason: fate, credential } };
    }
    const { orgId, principalId, scope, expiresAt } = found;
    const session = await this.#open({ orgId, principalId }, { scope, account: key.id, credential });
    const kept = { session, epoch, untilMs: expiresAt ?? Number.POSITIVE_INFINITY };
    this.#keep(digest, { ...kept, keyId: key.id, notedAtMs: found.lastUsedAtMs ?? 0 });
    return session;
  }

  async #takeToken({ text, digest }: Presented): Promise<Session | Refused> {
    const { verifier, revocations, principals, epochs } = this.#options;
    if (verifier === undefined) throw refusal('token_refused', 'no issuer of tokens is configured');
    const token = await verifier.verify(text);
    const { orgId, subject, scope, takenUntilMs, jti, issuer } = token;
    const epoch = epochs.identities.now;
    const credential = { kind: 'token', id: jti, ...(issuer === undefined ? {} : { issuer }) } as const;
    if (await revocations.isRevoked(token)) {
      const error = refusal('token_revoked', 'it, its principal or its org is revoked');
      return { error, owner: { orgId, resource: { kind: 'token', id: jti }, reason: 'revoked', credential } };
    }
    const principal = await principals.findPrincipal(orgId, subject);
    if (principal === undefined) {
      const error = refusal('token_refused', 'its org has no principal with this subject');
      return { error, claims: { orgId, subject, jti } };
    }
    const { principalId } = principal;
    const session = await this.#open({ orgId, principalId }, { scope, account: subject, credential });
    this.#keep(digest, { session, epoch, untilMs: takenUntilMs, keyId: undefined, notedAtMs: 0 });
    return session;
  }

  async #open(
    { orgId, principalId }: { orgId: OrgId; principalId: PrincipalId },
    { scope, account, credential }: { scope: CapabilitySet; account: string; credential: EventCredential },
  ): Promise<Session> {
    const known = await this.#options.principals.loadRequester({ orgId, principalId }, principalId);
    if (known === undefined || known.requester.suspended) throw refusal('token_revoked', 'its principal or org is suspended');
    const tokenScope = withinOrg(scope, orgId, this.#options.operatorOrgId);
    const requester = { ...known.requester, tokenScope };
    const { kind, roles } = known;
    return { orgId, principalId, kind, roles, credential, requester, account: { orgId, credential: account } };
  }

  /** Of nobody that is known: the credential says whose it was. */
  async #noteRefused({ error, owner, claims }: Refused, { kind, requestId, address }: Presented): Promise<void> {
    const name = kind === 'api_key' ? 'api-key' : 'token';
    if (owner === undefined) {
      const reason = error.details.reason as BearerFault;
      await this.#options.refusals.note({ kind: name, reason, requestId, address, claims });
      return;
    }
    const { orgId, resource, reason, credential } = owner;
    const principal = { kind: 'anonymous', id: name } as const;
    const context = { orgId, principal, outcome: 'denied', reason, requestId, address, credential } as const;
    await this.#options.windows.note(context, { action: 'session.authenticate', resource }, 0);
  }

  #keep(digest: string, kept: Kept): void {
    this.#kept.set(digest, kept);
    this.#noteUse(kept, this.#options.clock.now());
    if (this.#kept.size <= limits.sessionsMax) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  /** Nobody waits for it: when it fails, the next use tries again. */
  #noteUse(kept: Kept, now: number): void {
    const { keyId, session } = kept;
    if (keyId === undefined || now - kept.notedAtMs < limits.keyUseIntervalMs) return;
    kept.notedAtMs = now;
    const { keys, log } = this.#options;
    keys.noteUse(session.orgId, keyId, now).catch((error: unknown) => {
      kept.notedAtMs = 0;
      log.warn({ error, keyId }, 'the use of an API key was not noted');
    });
  }
}

/** Which of them an unknown id was, and which a wrong secret, is nobody's business. */
const FAULT_OF_FATE = {
  good: 'token_refused',
  unknown: 'token_refused',
  revoked: 'token_revoked',
  expired: 'token_expired',
  suspended: 'token_revoked',
} as const satisfies Record<string, BearerFault>;

function refusal(reason: BearerFault, log: string): QuasarError {
  return unauthenticated(reason, { log });
}

/** Without any it is for the caller to say so: nothing was tried. */
function readBearer(authorization: string | undefined): ReturnType<typeof parseBearer> | QuasarError {
  try {
    return parseBearer(authorization);
  } catch (error) {
    if (isQuasarError(error, 'unauthenticated') && error.details.reason === 'credentials_malformed') return error;
    throw error;
  }
}

function toRefused(error: unknown): Refused {
  if (!isQuasarError(error, 'unauthenticated')) throw error;
  return { error, claims: tokenOfFault(error) };
}
