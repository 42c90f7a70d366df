import type { Slab } from '../core/slab.ts';
import type { Node } from '../graviton/node.ts';
import type { Readiness } from '../http/handlers/services.ts';
import type { Admission } from '../upload/admission.ts';

export interface ReadinessSources {
  readonly node: Node;
  readonly slab: Slab;
  readonly admission: Pick<Admission, 'active' | 'places'>;
  readonly databaseAnswers: () => Promise<boolean>;
  readonly edgeName: () => string;
}

/**
 * What the program depends on and how it is. Unavailable: reads do not work, or not all. Degraded: reads work, new uploads
 * do not.
 * The details say what an operator needs and name no path, address or user.
 */
export async function readReadiness(sources: ReadinessSources): Promise<Readiness> {
  const db = (await sources.databaseAnswers()) ? { ok: true, detail: 'answers' } : { ok: false, detail: 'does not answer' };
  const health = sources.node.health();
  const missing = health.missingSegments;
  const damaged = health.damagedRecords === 0 ? '' : `, ${health.damagedRecords} damaged records`;
  const structure =
    health.damagedStructures === 0 ? '' : `, ${health.damagedStructures} segments with a damaged superblock or footer`;
  const graviton = {
    ok: health.writable && health.trouble === undefined,
    detail: `${health.readOnlyReason ?? health.trouble ?? (health.directIo ? 'writing with O_DIRECT' : 'writing through the page cache')}${damaged}${structure}`,
  };
  const free =
    health.freeBytes === undefined ? 'the file system does not say how much is free' : `${health.freeBytes} bytes free`;
  const disk = { ok: !health.full, detail: `${free}, uploads stop below ${health.floorBytes}` };
  const { active, places } = sources.admission;
  const uploads = { ok: active < places, detail: `${active} of ${places} upload places taken` };
  const memory = {
    ok: true,
    detail: `${sources.slab.freeSlots} of ${sources.slab.slotCount} slots free, ${sources.slab.uploadSlots} with uploads`,
  };
  const edge = { ok: true, detail: sources.edgeName() };
  const status = !db.ok || missing !== undefined ? 'unavailable' : graviton.ok && disk.ok && uploads.ok ? 'ready' : 'degraded';
  return { status, dependencies: { db, graviton, disk, uploads, memory, edge } };
}
