import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { CapabilitySet } from '../core/capability.ts';
import type { KeyId, OrgId, PrincipalId, Scope } from '../core/ids.ts';
import type { StoredApiKey } from './api-key.ts';

export interface NewKey {
  readonly keyId: KeyId;
  /** Who acts when the key is used. */
  readonly principalId: PrincipalId;
  /** 1 to 200 characters; may repeat. */
  readonly name: string;
  /** What the key may be used for at most. */
  readonly scope: CapabilitySet;
  /** As `macOf` makes it. */
  readonly mac: Uint8Array;
  readonly expiresAtMs: number | undefined;
  readonly atMs: number;
}

export interface ListedKey {
  readonly keyId: KeyId;
  readonly principalId: PrincipalId;
  readonly name: string;
  readonly scope: CapabilitySet;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  /** To `limits.keyUseIntervalMs`. */
  readonly lastUsedAtMs: number | undefined;
}

/** All that is needed to take or refuse a request with the key; `verifyApiKey` comes first. */
export interface FoundKey extends StoredApiKey {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
  readonly scope: CapabilitySet;
  readonly lastUsedAtMs: number | undefined;
  /** The principal is, or its org. */
  readonly suspended: boolean;
}

/** API keys, without their secrets. What another org has is missing here, but for `findKey`. Changes are noted. */
export interface KeyStore {
  /** `keys_full`: the principal has `limits.apiKeysMax` that are not revoked. */
  createKey(by: Actor, key: NewKey): Promise<'created' | 'principal_missing' | 'keys_full'>;
  revokeKey(by: Actor, keyId: KeyId, atMs: number): Promise<'revoked' | 'unchanged' | 'key_missing'>;
  /** Of one principal or of all, by id, revoked ones too. `after` is a `next` of an earlier page. */
  listKeys(
    scope: Scope,
    principalId: PrincipalId | undefined,
    options: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<ListedKey>>;
  /**
   * Of any org, since the key is what tells the org; by the same statement whether it is there or not.
   * @throws QuasarError `capability_unknown` when a later version gave the key a capability this one does not know.
   */
  findKey(keyId: KeyId): Promise<FoundKey | undefined>;
  /** At most one write a key in `limits.keyUseIntervalMs`, whoever calls; whether this was one. */
  noteUse(orgId: OrgId, keyId: KeyId, atMs: number): Promise<boolean>;
}
