import { hash } from 'node:crypto';
import type { EventWindows } from '../audit/event-windows.ts';
import type { Secret } from '../config/secret.ts';
import type { CapabilitySet } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import type { KeyId, OrgId, PrincipalId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { AccessEpochs } from './access-epochs.ts';
import { parseApiKey, verifyApiKey } from './api-key.ts';
import { parseBearer } from './bearer.ts';
import { type BearerFault, unauthenticated } from './bearer-fault.ts';
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
interface Presented {
  readonly text: string;
  readonly digest: string;
  readonly requestId: string;
}

/**
 * Turns the `Authorization` header into a session. Those that were taken are remembered until something about the org changes.
 * Those that were good once, and are refused, are noted in their org's log.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  /** By the SHA-256 of the header, so that no credential is kept; the oldest goes first. */
  readonly #kept = new Map<string, Kept>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** No promise when the credential was seen before. @throws QuasarError `unauthenticated`, `identity_unavailable`, `database_unavailable`. */
  authenticate(authorization: string | undefined, requestId: string): Session | Promise<Session> {
    const bearer = parseBearer(authorization);
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
    const presented = { text: bearer.token, digest, requestId };
    return bearer.kind === 'api_key' ? this.#takeKey(presented) : this.#takeToken(presented);
  }

  async #takeKey({ text, digest, requestId }: Presented): Promise<Session> {
    const { keys, pepper, clock, epochs } = this.#options;
    const key = parseApiKey(text);
    const epoch = epochs.identities.now;
    const found = await keys.findKey(key.id);
    const verdict = verifyApiKey(key, found, { pepper, now: clock.now() });
    const fate = verdict === 'good' && found?.suspended ? 'suspended' : verdict;
    if (found === undefined || fate !== 'good') {
      // A wrong secret is noted nowhere: that must look as if there were no such key.
      if (found !== undefined && fate !== 'unknown') {
        await this.#noteRefused({ kind: 'key', id: key.id }, { orgId: found.orgId, reason: fate, requestId });
      }
      throw refused(FAULT_OF_FATE[fate], `the API key is ${fate}`);
    }
    const { orgId, principalId, scope, expiresAt } = found;
    const session = await this.#open({ orgId, principalId }, { scope, credential: key.id });
    const kept = { session, epoch, untilMs: expiresAt ?? Number.POSITIVE_INFINITY };
    this.#keep(digest, { ...kept, keyId: key.id, notedAtMs: found.lastUsedAtMs ?? 0 });
    return session;
  }

  async #takeToken({ text, digest, requestId }: Presented): Promise<Session> {
    const { verifier, revocations, principals, epochs } = this.#options;
    if (verifier === undefined) throw refused('token_refused', 'no issuer of tokens is configured');
    const token = await verifier.verify(text);
    const { orgId, subject, scope, takenUntilMs } = token;
    const epoch = epochs.identities.now;
    if (await revocations.isRevoked(token)) {
      await this.#noteRefused({ kind: 'token', id: token.jti }, { orgId, reason: 'revoked', requestId });
      throw refused('token_revoked', 'it, its principal or its org is revoked');
    }
    const principal = await principals.findPrincipal(orgId, subject);
    if (principal === undefined) throw refused('token_refused', 'its org has no principal with this subject');
    const { principalId } = principal;
    const session = await this.#open({ orgId, principalId }, { scope, credential: subject });
    this.#keep(digest, { session, epoch, untilMs: takenUntilMs, keyId: undefined, notedAtMs: 0 });
    return session;
  }

  async #open(
    { orgId, principalId }: { orgId: OrgId; principalId: PrincipalId },
    { scope, credential }: { scope: CapabilitySet; credential: string },
  ): Promise<Session> {
    const known = await this.#options.principals.loadRequester({ orgId, principalId }, principalId);
    if (known === undefined || known.requester.suspended) throw refused('token_revoked', 'its principal or org is suspended');
    const tokenScope = withinOrg(scope, orgId, this.#options.operatorOrgId);
    const requester = { ...known.requester, tokenScope };
    return { orgId, principalId, kind: known.kind, requester, account: { orgId, credential } };
  }

  /** Of nobody that is known: the credential says whose it was. */
  async #noteRefused(
    resource: { readonly kind: 'key' | 'token'; readonly id: string },
    refusal: { readonly orgId: OrgId; readonly reason: string; readonly requestId: string },
  ): Promise<void> {
    const principal = { kind: 'anonymous', id: resource.kind === 'key' ? 'api-key' : 'token' } as const;
    const deed = { action: 'session.authenticate', resource } as const;
    await this.#options.windows.note({ ...refusal, principal, outcome: 'denied' }, deed, 0);
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

function refused(reason: BearerFault, log: string): Error {
  return unauthenticated(reason, { log });
}
