import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, toTimestamp } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { AuditStore, LogWriter, NewLeaf } from './audit-store.ts';
import { originOf, signCheckpoint } from './checkpoint.ts';
import { readSubject } from './event.ts';
import { equalHashes, hashLeaf } from './merkle-hash.ts';
import { type HashedSubtree, rootAt, TreeFrontier } from './merkle-tree.ts';
import type { NoteSigner } from './note-key.ts';

export interface SequencerOptions {
  readonly store: AuditStore;
  /** Its name is the origin of the org's log. */
  readonly signerOf: (orgId: OrgId) => NoteSigner;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SequencerPass {
  /** Leaves or checkpoints that were added. */
  readonly added: number;
  /** Logs that could not be written; each was logged. */
  readonly failures: number;
}

/**
 * Gives committed events their numbers, batch by batch, and signs the heads of logs that grew. Keeps nothing between two
 * batches: what it knows is in the rows, so any number of sequencers may be killed and started at any time, and one of them
 * works. An event whose transaction takes long comes later; it holds up no other.
 */
export class AuditSequencer {
  readonly #options: SequencerOptions;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** One batch for each log that waits: a busy org does not keep others waiting. Again at once while it adds something. */
  async sequence(): Promise<SequencerPass> {
    return this.#pass(await this.#options.store.listWaitingOrgs(), appendBatch);
  }

  /** A checkpoint for each log that grew since its last. */
  async sign(): Promise<SequencerPass> {
    return this.#pass(await this.#options.store.listUnsignedOrgs(), (log, orgId) => this.#signHead(log, orgId));
  }

  /** One log's failure is not that of others. */
  async #pass(orgIds: readonly OrgId[], work: (log: LogWriter, orgId: OrgId) => Promise<number>): Promise<SequencerPass> {
    let added = 0;
    let failures = 0;
    for (const orgId of orgIds) {
      try {
        added += (await this.#options.store.openLog(orgId, (log) => work(log, orgId))) ?? 0;
      } catch (error) {
        failures += 1;
        this.#options.log.error({ error, orgId }, 'an audit log was not written');
      }
    }
    return { added, failures };
  }

  /** Signs nothing that is not a continuation of what was signed before. */
  async #signHead(log: LogWriter, orgId: OrgId): Promise<number> {
    const { clock, signerOf } = this.#options;
    const last = await log.findLastCheckpoint();
    if (last?.size === log.size) return 0;
    if (last !== undefined && !(last.size < log.size && equalHashes(await rootAt(log, last.size), last.root))) {
      const message = `The audit log is not the one whose first ${last.size} events were signed.`;
      throw new QuasarError('corrupt', { op: 'audit.sign', message });
    }
    const head = { size: log.size, root: await rootAt(log, log.size), time: toTimestamp(clock.now()) };
    const note = signCheckpoint({ ...head, origin: originOf(orgId) }, signerOf(orgId));
    await log.addCheckpoint({ ...head, note });
    return 1;
  }
}

async function appendBatch(log: LogWriter): Promise<number> {
  const events = await log.takeEvents(limits.auditBatchMax);
  const frontier = await TreeFrontier.load(log, events.length === 0 ? 0 : log.size);
  const leaves: NewLeaf[] = [];
  const subtrees: HashedSubtree[] = [];
  for (const { place, bytes } of events) {
    if (leaves.length % limits.auditTurnMax === limits.auditTurnMax - 1) await nextTurn();
    const hash = hashLeaf(bytes);
    // Bytes that are no event get their leaf all the same: what is stored is what happened to the log.
    leaves.push({ leaf: frontier.size, place, hash, subject: readSubject(bytes) });
    subtrees.push(...frontier.append(hash));
  }
  await log.addLeaves(leaves, subtrees);
  return events.length;
}
