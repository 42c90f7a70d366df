import type { Secret } from '../config/secret.ts';
import { ensureSecretText, findAnySecret } from '../config/secrets.ts';
import type { Actor } from '../core/actor.ts';
import { allCapabilities } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import { isQuasarError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type ApiKey, macOf, newApiKey, parseApiKey, verifyApiKey } from './api-key.ts';
import type { KeyStore } from './key-store.ts';

/** Name of the file in the secrets of the data directory; the client commands look there. */
export const ADMIN_KEY_FILE = 'admin-key';

export interface AdminKeyOptions {
  /** The secrets of the data directory. */
  readonly directory: string;
  readonly pepper: Secret;
  readonly keys: KeyStore;
  /** Makes the key, and for its own principal. */
  readonly by: Actor;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sees to it that there is a file with an administrator's key, and that the database knows the key: the file comes first, so
 * that a crash between the two, or a database made anew, is caught up on by the next start. Whoever can write the file could
 * write the database beside it too. A key that was revoked stays so; without the file the next start makes another one.
 * The server does without: a file that holds no key is told of.
 * @throws QuasarError `config_invalid` when others may read it.
 */
export async function ensureAdminKey({ directory, pepper, keys, by, clock, log }: AdminKeyOptions): Promise<void> {
  const place = { directory, name: ADMIN_KEY_FILE };
  const text = (await findAnySecret(place)) ?? (await ensureSecretText(place, () => newApiKey(clock).text.reveal(), clock));
  const key = keyIn(text);
  if (key === undefined) {
    log.error({}, 'secrets/admin-key holds no key; remove the file to get a new one at the next start');
    return;
  }
  const stored = await keys.findKey(key.id);
  if (stored === undefined) {
    const atMs = clock.now();
    const wish = { keyId: key.id, principalId: by.principalId, name: ADMIN_KEY_FILE, mac: macOf(key, pepper) };
    const outcome = await keys.createKey(by, { ...wish, scope: allCapabilities, expiresAtMs: undefined, atMs });
    if (outcome === 'created') log.info({ keyId: key.id }, "the key in secrets/admin-key is the administrator's");
    else log.warn({ keyId: key.id, outcome }, 'the key in secrets/admin-key was not taken; revoke others first');
    return;
  }
  const verdict = verifyApiKey(key, stored, { pepper, now: clock.now() });
  if (verdict !== 'good') {
    log.warn(
      { keyId: key.id, verdict },
      'the key in secrets/admin-key opens nothing; remove the file to get a new one at the next start. If every other key is refused too, secrets/api-key-pepper is not the one they were made with',
    );
  }
}

function keyIn(text: Secret): ApiKey | undefined {
  try {
    return parseApiKey(text.reveal());
  } catch (error) {
    if (isQuasarError(error, 'unauthenticated')) return undefined;
    throw error;
  }
}
