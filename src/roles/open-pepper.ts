import type { KeyStore } from '../access/key-store.ts';
import type { Secret } from '../config/secret.ts';
import { ensureSecret, findSecret } from '../config/secrets.ts';
import type { Clock } from '../core/clock.ts';
import type { Scope } from '../core/ids.ts';
import type { Log } from '../core/log.ts';

export interface PepperOptions {
  readonly directory: string;
  readonly keys: KeyStore;
  /** Of the operator, whose org has a key from its first start on. */
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
}

/** What API keys are stored with. Made when it is missing, and told when keys were made with another one. */
export async function openPepper({ directory, keys, scope, clock, log }: PepperOptions): Promise<Secret> {
  const place = { directory, name: 'api-key-pepper' };
  const isNew = (await findSecret(place)) === undefined;
  if (isNew && (await keys.listKeys(scope, undefined, { limit: 1, after: undefined })).items.length > 0) {
    log.error(
      {},
      'secrets/api-key-pepper was missing and is made anew: every API key issued before is refused. Stop and put the original back, or remove secrets/admin-key, start again, and issue keys anew',
    );
  }
  return ensureSecret(place, 32, clock);
}
