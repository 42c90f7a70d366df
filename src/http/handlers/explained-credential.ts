import type { ExplainedCredential } from '../../access/explain.ts';
import { allCapabilities, type CapabilitySet, capabilitySet, hasCapability, parseCapability } from '../../core/capability.ts';
import { QuasarError } from '../../core/errors.ts';
import { type KeyId, type PrincipalId, parseId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { badField } from './body-fields.ts';
import { WHOLE_ORG } from './held-capabilities.ts';
import type { Services } from './services.ts';

/** Whose access with what an explanation is asked for. */
export interface ExplainedAccess {
  readonly principalId: PrincipalId;
  readonly credential: ExplainedCredential;
  readonly scope: CapabilitySet;
}

/**
 * `principal`, `key` and `scope` of a query. Without key and scope it is about whoever asks with the credential of this very
 * request, and about anybody else without one.
 * @throws QuasarError `bad_parameter`, `capability_unknown`, `key_not_found`.
 */
export async function explainedAccess(query: URLSearchParams, caller: Caller, services: Services): Promise<ExplainedAccess> {
  const [principal, key, scope] = ['principal', 'key', 'scope'].map((name) => query.get(name) ?? undefined);
  const principalId = principal === undefined ? undefined : parseId<PrincipalId>(principal, 'principal');
  if (key !== undefined && scope !== undefined)
    throw badField('scope', 'is that of the key when a key is named; leave out one of them');
  if (key !== undefined) return ofKey(parseId<KeyId>(key, 'key'), principalId, caller, services);
  const named = principalId ?? caller.principalId;
  if (scope !== undefined) return { principalId: named, credential: { kind: 'scope' }, scope: parseScope(scope) };
  if (named !== caller.principalId) return { principalId: named, credential: { kind: 'none' }, scope: allCapabilities };
  const { credential, requester } = caller.session;
  return { principalId: named, credential: { kind: credential.kind, id: credential.id }, scope: requester.tokenScope };
}

/** One's own keys, and those of others for whoever administers keys: what a key may is not for everybody to find out. */
async function ofKey(
  keyId: KeyId,
  principalId: PrincipalId | undefined,
  caller: Caller,
  { access, gate, clock }: Services,
): Promise<ExplainedAccess> {
  const found = await access.keys.findKey(keyId);
  const administers = hasCapability(await gate.capabilitiesOn(caller, WHOLE_ORG), 'key.admin');
  if (found === undefined || found.orgId !== caller.orgId || !(administers || found.principalId === caller.principalId)) {
    throw new QuasarError('key_not_found', { op: 'access.explain' });
  }
  if (principalId !== undefined && principalId !== found.principalId) {
    throw badField('key', 'is the key of another principal; leave out the principal');
  }
  const expired = found.expiresAt !== undefined && found.expiresAt <= clock.now();
  const refusedFor = found.revokedAt !== undefined ? ('revoked' as const) : expired ? ('expired' as const) : undefined;
  const credential = { kind: 'api_key', id: keyId, ...(refusedFor === undefined ? {} : { refusedFor }) } as const;
  return { principalId: found.principalId, credential, scope: found.scope };
}

function parseScope(text: string): CapabilitySet {
  return capabilitySet(...text.split(',').map((name) => parseCapability(name.trim())));
}
