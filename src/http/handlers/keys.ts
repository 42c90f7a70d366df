import { macOf, newApiKey } from '../../access/api-key.ts';
import { QuasarError } from '../../core/errors.ts';
import { type KeyId, type PrincipalId, parseId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { onOrg } from '../route-access.ts';
import { route } from '../router.ts';
import { parseKeyBody, parseTokenBody } from './access-bodies.ts';
import { keyView } from './access-views.ts';
import { requireHeld, WHOLE_ORG } from './held-capabilities.ts';
import { pageOf } from './request-bodies.ts';
import { requireStanding } from './require-standing.ts';
import type { Services } from './services.ts';

const administer = onOrg('key.admin');

export const listKeys = route('GET', '/v1/keys', administer, async (exchange, _params, services: Services, caller) => {
  const named = new URLSearchParams(exchange.query).get('principal');
  const principalId = named === null ? undefined : parseId<PrincipalId>(named, 'principal');
  const purpose = `keys:${caller.orgId}:${principalId ?? ''}`;
  const { limit, after } = pageOf(exchange, services.cursors, purpose);
  const page = await services.access.keys.listKeys(caller, principalId, { limit, after });
  replyJson(exchange, 200, {
    items: page.items.map(keyView),
    nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
  });
});

/**
 * The answer is the only place where the key itself is ever shown. Whoever makes one for somebody else can act as him, also
 * where rules refuse himself: that takes who may change those rules.
 */
export const postKey = route('POST', '/v1/keys', administer, async (exchange, _params, services: Services, caller) => {
  const op = 'key.create';
  const { access, clock, gate } = services;
  const wish = parseKeyBody(await readJsonBody(exchange, { optional: false }), clock.now());
  const scope = wish.scope ?? (await gate.capabilitiesOn(caller, WHOLE_ORG));
  await requireHeld(caller, scope, services, op);
  const { name, principalId = caller.principalId, expiresAtMs } = wish;
  if (principalId !== caller.principalId) {
    await gate.require(caller, WHOLE_ORG, 'acl.admin');
    requireStanding(caller, (await access.directory.findPrincipal(caller, principalId))?.roles ?? [], op);
  }
  const key = newApiKey(clock);
  const facts = { keyId: key.id, principalId, name, scope, expiresAtMs };
  const atMs = clock.now();
  const outcome = await access.keys.createKey(caller, { ...facts, mac: macOf(key, access.pepper), atMs });
  if (outcome === 'principal_missing') {
    throw new QuasarError('subject_not_found', { op, details: { subjectId: principalId, pointer: '/principalId' } });
  }
  if (outcome === 'keys_full') throw new QuasarError('too_many_keys', { op, details: { countMax: limits.apiKeysMax } });
  const view = keyView({ ...facts, createdAtMs: atMs, revokedAtMs: undefined, lastUsedAtMs: undefined });
  replyJson(exchange, 201, { ...view, key: key.text.reveal() });
});

/** Also one's own. Twice is the same. */
export const deleteKey = route('DELETE', '/v1/keys/{keyId}', administer, async (exchange, params, services: Services, caller) => {
  const keyId = parseId<KeyId>(params.keyId as string, 'keyId');
  const outcome = await services.access.keys.revokeKey(caller, keyId, services.clock.now());
  if (outcome === 'key_missing') throw new QuasarError('key_not_found', { op: 'key.revoke' });
  services.gate.changed({ orgId: caller.orgId, kind: 'key' });
  exchange.reply(204, []);
});

/**
 * A token that is not known here can be revoked before it is first seen. Its expiry is what somebody says: when that lies too
 * early, even in the past, the revocation lasts as long as any token that is there by now can be taken.
 */
export const revokeToken = route(
  'POST',
  '/v1/tokens/revoke',
  administer,
  async (exchange, _params, services: Services, caller) => {
    const { jti, expiresAtMs } = parseTokenBody(await readJsonBody(exchange, { optional: false }));
    const atMs = services.clock.now();
    const latestMs = atMs + limits.tokenSkewMs + limits.tokenAgeMaxMs;
    const untilMs = Math.max(expiresAtMs, latestMs) + limits.tokenSkewMs;
    await services.access.revocations.revokeToken(caller, { jti, untilMs, atMs });
    services.gate.changed({ orgId: caller.orgId, kind: 'token' });
    exchange.reply(204, []);
  },
);
