import type { AuditLog } from '../../audit/audit-log.ts';
import type { CachingCatalog } from '../../catalog/caching-catalog.ts';
import type { ChunkerName } from '../../chunker/hasher.ts';
import type { Actor, Deed } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import type { OrgId } from '../../core/ids.ts';
import type { RestoreDeps } from '../../download/restore.ts';
import type { RecordDeps } from '../../records/record-deps.ts';
import type { OneShotDeps } from '../../upload/one-shot.ts';
import type { Uploads } from '../../upload/uploads.ts';
import type { Cursors } from '../cursor.ts';
import type { Gate } from '../gate-port.ts';
import type { AccessDeps } from './access-deps.ts';

/** What handlers are written against; the role fills it once, each handler takes the parts it names. */
export interface Services {
  readonly gate: Gate;
  readonly uploads: Uploads;
  readonly oneShot: OneShotDeps;
  readonly catalog: CachingCatalog;
  readonly records: RecordDeps;
  readonly restore: RestoreDeps;
  readonly audit: AuditServices;
  readonly access: AccessDeps;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly chunker: ChunkerName;
  /** `fsync;nodes=1`: the class every acknowledged byte has reached. */
  readonly durability: string;
  readonly uploadLifetimeMs: number;
  readonly downloadStallMs: number;
  readonly readiness: () => Promise<Readiness>;
  readonly metricsText: () => Promise<string>;
  readonly openapi: string;
}

export interface AuditServices {
  readonly log: AuditLog;
  /** Stores what was done where nothing was changed; durable when it resolves. */
  append(actor: Actor, deed: Deed): Promise<void>;
  /** The text of the key that checks the checkpoints of this org's log. */
  verifierOf(orgId: OrgId): string;
}

export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly dependencies: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}
