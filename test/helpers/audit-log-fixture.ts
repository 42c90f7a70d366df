import { originOf, signCheckpoint } from '../../src/audit/checkpoint.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { encodeEvent } from '../../src/audit/event.ts';
import { formatExportLine } from '../../src/audit/export-line.ts';
import { hashLeaf, type TreeHash } from '../../src/audit/merkle-hash.ts';
import { TreeFrontier } from '../../src/audit/merkle-tree.ts';
import { type NoteSigner, noteSigner } from '../../src/audit/note-key.ts';
import type { AuditEventId, OrgId } from '../../src/core/ids.ts';

export const orgId = '018f0000-0000-7000-8000-00000000000a' as OrgId;
export const otherOrgId = '018f0000-0000-7000-8000-00000000000b' as OrgId;
export const origin = originOf(orgId);

/** The same in every run: Ed25519 is deterministic, so notes are, too. */
export const signer: NoteSigner = noteSigner(origin, Buffer.alloc(32, 7));
export const strangeSigner: NoteSigner = noteSigner(origin, Buffer.alloc(32, 8));

export function sampleEvent(index: number, changes: Partial<AuditEvent> = {}): AuditEvent {
  const number = index.toString(16).padStart(12, '0');
  return {
    v: 2,
    orgId,
    eventId: `018f0000-0000-7000-8000-${number}` as AuditEventId,
    time: new Date(1_790_000_000_000 + index * 1000).toISOString(),
    principal: { kind: 'user', id: '018f0000-0000-7000-8000-0000000000aa' },
    action: 'doc.read',
    resource: { kind: 'document', id: '018f0000-0000-7000-8000-0000000000dd' },
    outcome: index % 2 === 0 ? 'allowed' : 'denied',
    reason: index % 2 === 0 ? 'role_allow' : 'acl_deny',
    requestId: `request-${index}`,
    detail: {},
    ...changes,
  };
}

export function sampleEvents(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => encodeEvent(sampleEvent(index)));
}

export function rootOf(events: readonly Uint8Array[]): TreeHash {
  const frontier = TreeFrontier.empty();
  for (const bytes of events) frontier.append(hashLeaf(bytes));
  return frontier.root();
}

/** A checkpoint over the first `size` of these events. */
export function checkpointOf(events: readonly Uint8Array[], size: number, by: NoteSigner = signer): string {
  const time = new Date(1_790_000_000_000 + size * 1000).toISOString();
  return signCheckpoint({ origin: by.name, size, root: rootOf(events.slice(0, size)), time }, by);
}

export const headerLine = formatExportLine({ kind: 'header', origin });

export function leafLine(leaf: number, bytes: Uint8Array, hash: TreeHash = hashLeaf(bytes)): string {
  return formatExportLine({ kind: 'leaf', leaf, bytes, hash });
}

export function checkpointLine(note: string): string {
  return formatExportLine({ kind: 'checkpoint', note });
}

export interface ExportChanges {
  /** What the log's owner made of the events after they were signed. */
  readonly events?: readonly Uint8Array[];
  /** What the log holds as hashes of leaves; those of its events when absent. */
  readonly hashes?: readonly TreeHash[];
}

/** An export of the log in which these events were signed, with checkpoints at these sizes, and with these changes. */
export function exportOf(signed: readonly Uint8Array[], checkpoints: readonly number[], changes: ExportChanges = {}): string[] {
  const events = changes.events ?? signed;
  const lines = [headerLine];
  for (const [leaf, bytes] of events.entries()) {
    if (checkpoints.includes(leaf)) lines.push(checkpointLine(checkpointOf(signed, leaf)));
    lines.push(leafLine(leaf, bytes, changes.hashes?.[leaf] ?? hashLeaf(bytes)));
  }
  for (const size of checkpoints) if (size >= events.length) lines.push(checkpointLine(checkpointOf(signed, size)));
  return lines;
}
