import type { AuditLog } from '../audit/audit-log.ts';
import { originOf } from '../audit/checkpoint.ts';
import { EventWriter } from '../audit/event-writer.ts';
import { formatNoteVerifier, NOTE_SEED_SIZE, type NoteSigner, noteSigner } from '../audit/note-key.ts';
import { PostgresAuditLog } from '../audit/postgres-audit-log.ts';
import { PostgresAuditStore } from '../audit/postgres-audit-store.ts';
import { AuditSequencer } from '../audit/sequencer.ts';
import { SequencerLoop, type SequencerStatistics } from '../audit/sequencer-loop.ts';
import { parseSignedNote } from '../audit/signed-note.ts';
import { systemActor } from '../audit/system-actor.ts';
import { adviceOn, ensureSecret, findSecret } from '../config/secrets.ts';
import type { Actor, Deed } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import type { OrgId, Scope } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import { Fault } from '../segment/fault.ts';

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
  const before = await findForeignKey(events, scope, signerOf(scope.orgId));
  if (before !== undefined && !seedIsNew) throw refuseSeed(secretsDirectory, before, signerOf(scope.orgId).id);
  const sequencer = new AuditSequencer({ store: new PostgresAuditStore(pool), signerOf, clock, log });
  const writer = new EventWriter(pool);
  if (before !== undefined) {
    const keyId = signerOf(scope.orgId).id;
    log.error(
      { keyId, before },
      'secrets/audit-seed was missing and made anew: checkpoints are signed by another key than before. See docs/operations.md',
    );
    // In the log before it is signed by the new key, and what makes the next checkpoint one of that key.
    await writer.append(scope.orgId, systemActor(scope, 'up', clock).note(seedDeed(scope, { before, keyId })));
  }
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

/** The id of the key that signed the last checkpoint, when this signer's did not: notes name the keys they are signed with. */
async function findForeignKey(events: AuditLog, scope: Scope, signer: NoteSigner): Promise<string | undefined> {
  const last = await events.findCheckpoint(scope);
  const note = last && parseSignedNote(last.note);
  if (note === undefined || note instanceof Fault) return undefined;
  const own = note.signatures.filter(({ name }) => name === signer.name);
  return own.some(({ id }) => id === signer.id) ? undefined : own[0]?.id;
}

function refuseSeed(directory: string, before: string, keyId: string): QuasarError {
  return new QuasarError('config_invalid', {
    op: 'config.readSecret',
    message: `The secret ${directory}/${SEED_FILE} is not the one the audit log is signed with (its key is ${keyId}, the last checkpoint names ${before}). ${adviceOn(SEED_FILE)}`,
  });
}

function seedDeed(scope: Scope, detail: { readonly before: string; readonly keyId: string }): Deed {
  return { action: 'key.create', resource: { kind: 'log', id: originOf(scope.orgId) }, detail };
}

/** One seed for all: the name of an org's log is part of its key's id, and of what is signed. */
async function openSigners(directory: string, clock: Clock): Promise<(orgId: OrgId) => NoteSigner> {
  const secret = await ensureSecret({ directory, name: SEED_FILE }, NOTE_SEED_SIZE, clock);
  const seed = Buffer.from(secret.reveal(), 'base64url');
  if (seed.byteLength === NOTE_SEED_SIZE) return (orgId) => noteSigner(originOf(orgId), seed);
  const message = `The secret ${directory}/${SEED_FILE} is not ${NOTE_SEED_SIZE} bytes in base64url. ${adviceOn(SEED_FILE)}`;
  throw new QuasarError('config_invalid', { op: 'config.readSecret', message });
}
