import { limits } from '../core/limits.ts';
import type { ConfigValues } from './config-values.ts';

/** Slots of the slab that uploads may hold together. A thirty-second is for reading alone, whatever is uploaded. */
export function uploadSlots(values: ConfigValues): number {
  const slots = values.get('quasar.conf', 'memory.slabSize') / limits.slotSize;
  return Math.min(limits.uploadSlotsMax, Math.floor((slots * 31) / 32));
}
