import type { OrgId } from '../core/ids.ts';
import type { Org } from './org-store.ts';

/** A row of core.org, its times in milliseconds. */
export interface OrgRow {
  readonly id: OrgId;
  readonly name: string;
  readonly created_at_ms: number;
  readonly suspended_at_ms: number | null;
}

export function toOrg({ id, name, created_at_ms, suspended_at_ms }: OrgRow): Org {
  return { orgId: id, name, createdAtMs: created_at_ms, suspendedAtMs: suspended_at_ms ?? undefined };
}
