import type { Slab } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import type { Readiness } from '../http/handlers/services.ts';

export interface ReadinessSources {
  readonly node: Node;
  readonly slab: Slab;
  /** Resolves when the database answers. */
  readonly pingDatabase: () => Promise<void>;
  readonly edgeName: () => string;
}

/**
 * What the program depends on and how it is. Unavailable: reads do not work. Degraded: reads work, new uploads do not.
 * The details say what an operator needs and name no path, address or user.
 */
export async function readReadiness(sources: ReadinessSources): Promise<Readiness> {
  const db = await databaseState(sources);
  const health = sources.node.health();
  const damaged = health.damagedRecords === 0 ? '' : `, ${health.damagedRecords} damaged records`;
  const graviton = {
    ok: health.writable,
    detail: `${health.readOnlyReason ?? (health.directIo ? 'writing with O_DIRECT' : 'writing through the page cache')}${damaged}`,
  };
  const disk = { ok: !health.full, detail: `${health.freeBytes} bytes free, uploads stop below ${health.floorBytes}` };
  const memory = {
    ok: true,
    detail: `${sources.slab.freeSlots} of ${sources.slab.slotCount} slots free, ${sources.slab.uploadSlots} with uploads`,
  };
  const edge = { ok: true, detail: sources.edgeName() };
  const status = !db.ok ? 'unavailable' : graviton.ok && disk.ok ? 'ready' : 'degraded';
  return { status, dependencies: { db, graviton, disk, memory, edge } };
}

async function databaseState({ pingDatabase }: ReadinessSources): Promise<{ ok: boolean; detail: string }> {
  try {
    await pingDatabase();
    return { ok: true, detail: 'answers' };
  } catch {
    return { ok: false, detail: 'does not answer' };
  }
}
