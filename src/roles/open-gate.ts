import { ACCESS_CHANNEL, parseAccessChange } from '../access/access-change.ts';
import { AccessEpochs } from '../access/access-epochs.ts';
import { AccessLists } from '../access/access-lists.ts';
import { Authenticator } from '../access/authenticator.ts';
import { CredentialRefusals } from '../access/credential-refusals.ts';
import { openJwtVerifier } from '../access/open-jwt-verifier.ts';
import { PostgresKeyStore } from '../access/postgres-key-store.ts';
import { PostgresPrincipalStore } from '../access/postgres-principal-store.ts';
import { PostgresRevocationStore } from '../access/postgres-revocation-store.ts';
import { PostgresRuleStore } from '../access/postgres-rule-store.ts';
import { RateGuard } from '../access/rate-guard.ts';
import { rateRulesOf, refusalRateOf } from '../access/rate-rules.ts';
import { EventWindows } from '../audit/event-windows.ts';
import type { EventWriter } from '../audit/event-writer.ts';
import type { Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import type { Clock } from '../core/clock.ts';
import type { Closer } from '../core/closer.ts';
import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { PostgresListener } from '../database/postgres-listener.ts';
import { AccessGate } from '../http/access-gate.ts';
import { MemoryRateLimiter } from '../volatile/memory-rate-limiter.ts';
import type { RateLimiter } from '../volatile/rate-limiter.ts';
import type { OpenedDatabase } from './open-database.ts';

export interface OpenGateOptions {
  readonly config: Config;
  readonly database: OpenedDatabase;
  readonly pepper: Secret;
  /** Of the audit log. */
  readonly writer: EventWriter;
  readonly operatorOrgId: OrgId;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Everything that decides who may, and the windows in which reads and denials are noted; closed by `closer`.
 * @throws QuasarError `config_invalid` as `openJwtVerifier`.
 */
export async function openGate(options: OpenGateOptions, closer: Closer): Promise<AccessGate> {
  const { config, database, pepper, writer, operatorOrgId, clock, log } = options;
  const { pool } = database;
  const windows = new EventWindows({ writer, clock, log });
  closer.push('windows of reads', () => windows.close());

  const epochs = new AccessEpochs();
  const listener = PostgresListener.start({
    target: database.listenTarget,
    connectMs: config.database.connectTimeoutMs,
    channel: ACCESS_CHANNEL,
    onNotification: (payload) => epochs.changed(parseAccessChange(payload)),
    onListening: (listening) => {
      epochs.listening = listening;
      epochs.changedAll();
    },
    log,
  });
  closer.push('listener', () => listener.close());

  const tokens = await openJwtVerifier(config, { clock, log });
  closer.push('verifier of tokens', () => tokens.close());
  const principals = new PostgresPrincipalStore(pool);
  const limiter = new MemoryRateLimiter({ clock, keysMax: limits.rateLimitKeysMax });
  const refusalRule = refusalRateOf(config);
  const rate = refusalRule === undefined ? undefined : { limiter, rule: refusalRule };
  const refusals = new CredentialRefusals({ windows, operatorOrgId, rate, clock });
  const authenticator = new Authenticator({
    keys: new PostgresKeyStore(pool),
    principals,
    revocations: new PostgresRevocationStore(pool),
    verifier: tokens.verifier,
    ...{ pepper, operatorOrgId, epochs, windows, refusals, clock, log },
  });
  const lists = new AccessLists(new PostgresRuleStore(pool), epochs);
  const rates = openRates(config, limiter);
  return new AccessGate({ authenticator, lists, epochs, principals, windows, rates, operatorOrgId, clock, log });
}

function openRates(config: Config, limiter: RateLimiter): RateGuard | undefined {
  const rules = rateRulesOf(config);
  const limited = Object.values(rules).some((rule) => rule !== undefined);
  return limited ? new RateGuard(limiter, rules) : undefined;
}
