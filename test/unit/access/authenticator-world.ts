import { AccessEpochs } from '../../../src/access/access-epochs.ts';
import { type ApiKey, macOf, newApiKey } from '../../../src/access/api-key.ts';
import { Authenticator } from '../../../src/access/authenticator.ts';
import { unauthenticated } from '../../../src/access/bearer-fault.ts';
import { CredentialRefusals } from '../../../src/access/credential-refusals.ts';
import type { FoundKey, KeyStore } from '../../../src/access/key-store.ts';
import type { PrincipalStore } from '../../../src/access/principal-store.ts';
import type { RevocationStore } from '../../../src/access/revocation-store.ts';
import { capabilitiesOf } from '../../../src/access/role.ts';
import type { VerifiedToken } from '../../../src/access/token-claims.ts';
import type { EventWindows } from '../../../src/audit/event-windows.ts';
import type { NoteContext } from '../../../src/audit/note-maker.ts';
import { Secret } from '../../../src/config/secret.ts';
import type { Deed } from '../../../src/core/actor.ts';
import { allCapabilities } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type KeyId, newId, type OrgId, type PrincipalId } from '../../../src/core/ids.ts';
import { type Log, silentLog } from '../../../src/core/log.ts';
import { MemoryRateLimiter } from '../../../src/volatile/memory-rate-limiter.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

export const pepper = new Secret('pepper');
export const orgId = newId<OrgId>(systemClock);
export const operatorOrgId = newId<OrgId>(systemClock);
/** Credentials that an address may try in vain at once. */
export const RATE_BURST = 20;
export const principalId = newId<PrincipalId>(systemClock);
export const ARRIVAL = { requestId: 'r1', address: '192.0.2.7' };
export const TOKEN = 'eyJh.eyJz.c2ln';

/** One org with one principal; its keys and what is revoked stand in here as the database would have them. */
export class World {
  readonly clock = standingClock();
  readonly epochs = new AccessEpochs();
  readonly keys = new Map<KeyId, FoundKey>();
  readonly noted: { readonly context: NoteContext; readonly deed: Deed }[] = [];
  readonly uses: number[] = [];
  readonly warnings: string[] = [];
  readonly asked: string[] = [];
  readonly authenticator: Authenticator;
  principalSuspended = false;
  tokenRevoked = false;
  subjectKnown = true;
  usesFail = false;
  noteFails = false;
  token: VerifiedToken | undefined;
  refusal = unauthenticated('signature_invalid', { log: '' });
  /** Runs while the credential is being looked up. */
  meanwhile: () => void = () => undefined;

  constructor(verifier = true) {
    this.epochs.listening = true;
    const { clock, epochs } = this;
    const log: Log = { ...silentLog, warn: (_, message) => this.warnings.push(message) };
    const windows: Pick<EventWindows, 'note'> = {
      note: async (context, deed) => {
        if (this.noteFails) throw new Error('no database');
        this.noted.push({ context, deed });
      },
    };
    const limiter = new MemoryRateLimiter({ clock, keysMax: 10 });
    this.authenticator = new Authenticator({
      keys: this.#keyStore(),
      principals: this.#principalStore(),
      revocations: {
        isRevoked: async () => this.#ask('isRevoked', this.tokenRevoked),
      } as Partial<RevocationStore> as RevocationStore,
      verifier: verifier ? { verify: async () => this.#verified() } : undefined,
      refusals: new CredentialRefusals({
        windows,
        operatorOrgId,
        rate: { limiter, rule: { perSecond: 1, burst: RATE_BURST } },
        clock,
      }),
      ...{ windows, pepper, operatorOrgId, epochs, clock, log },
    });
  }

  addKey(more: Partial<FoundKey> = {}): ApiKey {
    const key = newApiKey(this.clock);
    const never = { expiresAt: undefined, revokedAt: undefined, lastUsedAtMs: undefined };
    const scope = allCapabilities;
    this.keys.set(key.id, { orgId, principalId, scope, mac: macOf(key, pepper), ...never, suspended: false, ...more });
    return key;
  }

  async take(credential: ApiKey | string) {
    const text = typeof credential === 'string' ? credential : credential.text.reveal();
    return this.authenticator.authenticate(`Bearer ${text}`, ARRIVAL);
  }

  /** Why it is refused, or that it is taken. */
  async fateOf(credential: ApiKey | string): Promise<unknown> {
    try {
      await this.take(credential);
      return 'taken';
    } catch (error) {
      const { code, details } = error as { code: string; details: { reason: string } };
      return code === 'unauthenticated' ? details.reason : error;
    }
  }

  #ask<T>(what: string, answer: T): T {
    this.asked.push(what);
    this.meanwhile();
    return answer;
  }

  #verified(): VerifiedToken {
    if (this.token === undefined) throw this.refusal;
    return this.token;
  }

  #keyStore(): KeyStore {
    const store: Partial<KeyStore> = {
      findKey: async (keyId) => this.#ask('findKey', this.keys.get(keyId)),
      noteUse: async (_, __, atMs) => {
        if (this.usesFail) throw new Error('no database');
        this.uses.push(atMs);
        return true;
      },
    };
    return store as KeyStore;
  }

  #principalStore(): PrincipalStore {
    const store: Partial<PrincipalStore> = {
      findPrincipal: async () =>
        this.#ask('findPrincipal', this.subjectKnown ? { principalId, suspended: this.principalSuspended } : undefined),
      loadRequester: async () => {
        const roleCapabilities = capabilitiesOf(['admin']);
        const requester = { orgId, principalId, groups: new Set<never>(), suspended: this.principalSuspended, roleCapabilities };
        return this.#ask('loadRequester', { requester, roles: ['admin'], kind: 'user' });
      },
    };
    return store as PrincipalStore;
  }
}

export function newToken(world: World, more: Partial<VerifiedToken> = {}): VerifiedToken {
  const now = world.clock.now();
  const times = { issuedAtMs: now, expiresAtMs: now + 60_000, takenUntilMs: now + 90_000 };
  return { subject: 'anna', orgId, jti: 'token 1', issuer: undefined, ...times, scope: allCapabilities, ...more };
}
