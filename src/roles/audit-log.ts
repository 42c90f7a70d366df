import type { AuditLog } from '../audit/audit-log.ts';
import { originOf } from '../audit/checkpoint.ts';
import { EventWriter } from '../audit/event-writer.ts';
import { formatNoteVerifier, NOTE_SEED_SIZE, type NoteSigner, noteSigner } from '../audit/note-key.ts';
import { PostgresAuditLog } from '../audit/postgres-audit-log.ts';
import { PostgresAuditStore } from '../audit/postgres-audit-store.ts';
import { AuditSequencer } from '../audit/sequencer.ts';
import { SequencerLoop, type SequencerStatistics } from '../audit/sequencer-loop.ts';
import { ensureSecret, findSecret } from '../config/secrets.ts';
import type { Actor, Deed } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import type { OrgId, Scope } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { ConnectionPool } from '../database/transaction.ts';

export interface AuditLogOptions {
  readonly pool: ConnectionPool;
  /** Where the seed of the signing keys lies, or is made. */
  readonly secretsDirectory: string;
  /** Of the operator: tells whether something was signed before. */
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenedAuditLog {
  readonly log: AuditLog;
  readonly statistics: SequencerStatistics;
  /** Stores what was done by itself, where there is no change to store it with. */
  readonly writer: EventWriter;
  append(actor: Actor, deed: Deed): Promise<void>;
  /** The text of the key that checks the checkpoints of this org's log. */
  verifierOf(orgId: OrgId): string;
  /** Events committed before are numbered and signed then, or by the next start. Needs the pool. */
  close(): Promise<void>;
}

/** Name of the file in the secrets; without it no later checkpoint fits the key of the earlier ones. */
const SEED_FILE = 'audit-seed';

/** The audit logs of all orgs, and the sequencer that numbers and signs them. @throws QuasarError `config_invalid`. */
export async function openAuditLog({ pool, secretsDirectory, scope, clock, log }: AuditLogOptions): Promise<OpenedAuditLog> {
  const events = new PostgresAuditLog(pool);
  const seedIsNew = (await findSecret({ directory: secretsDirectory, name: SEED_FILE })) === undefined;
  const signerOf = await openSigners(secretsDirectory, clock);
  if (seedIsNew && (await events.findCheckpoint(scope)) !== undefined) {
    log.warn(
      {},
      'secrets/audit-seed was lost and made anew: checkpoints are signed by another key than before. See docs/operations.md',
    );
  }
  const sequencer = new AuditSequencer({ store: new PostgresAuditStore(pool), signerOf, clock, log });
  const writer = new EventWriter(pool);
  const loop = SequencerLoop.start({ sequencer, clock, log });
  return {
    log: events,
    statistics: loop.statistics,
    writer,
    append: (actor, deed) => writer.append(actor.orgId, actor.note(deed)),
    verifierOf: (orgId) => formatNoteVerifier(signerOf(orgId).verifier),
    close: () => loop.close(),
  };
}

/** One seed for all: the name of an org's log is part of its key's id, and of what is signed. */
async function openSigners(directory: string, clock: Clock): Promise<(orgId: OrgId) => NoteSigner> {
  const secret = await ensureSecret({ directory, name: SEED_FILE }, NOTE_SEED_SIZE, clock);
  const seed = Buffer.from(secret.reveal(), 'base64url');
  if (seed.byteLength === NOTE_SEED_SIZE) return (orgId) => noteSigner(originOf(orgId), seed);
  const message = `The secret ${directory}/${SEED_FILE} is not ${NOTE_SEED_SIZE} bytes in base64url.`;
  throw new QuasarError('config_invalid', { op: 'config.readSecret', message });
}
