import type { AuditAction, AuditResourceKind } from './audit-action.ts';
import type { AuditEventId, Scope } from './ids.ts';

/** Something that was done, in the words of docs/format/audit-v1.md section 4. */
export interface Deed {
  readonly action: AuditAction;
  readonly resource: { readonly kind: AuditResourceKind; readonly id: string; readonly version?: string };
  /** What else the action has to say: no secrets, no content of documents, within `limits.auditDetailMax`. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** An event of the audit log, to be stored by the transaction of what it is about. */
export interface AuditNote {
  readonly id: AuditEventId;
  /** As the log keeps it. */
  readonly bytes: Uint8Array;
}

/** No promise when nothing is to be looked up. */
export type Confirm = () => void | Promise<void>;

/** On whose behalf something is changed. Whoever stores the change stores its note with it. */
export interface Actor extends Scope {
  /** A fresh note of what this actor does; it is stored once. @throws QuasarError `bad_body` when a text in it is no Unicode. */
  note(deed: Deed): AuditNote;
  /**
   * Decides again, by what holds now, all that was allowed so far: for changes long after the decision, right before they are made. Absent
   * where nothing was decided. @throws QuasarError that refuses.
   */
  readonly confirm?: Confirm | undefined;
}
