import { constants } from 'node:os';
import { isQuasarError } from '../core/errors.ts';

/**
 * What the error of a step on the disk means for the steps after it.
 *
 * - `passing`: we or the machine were short of something for a moment, or the file could not be opened. The operation
 *   fails, nothing is marked, the next one may succeed.
 * - `full`: no room, or none left of a quota. As above, and told apart because somebody has to make room.
 * - `final`: what was written before may be lost. Nothing is written any more until an operator has accepted the disk.
 */
export type DiskFault = 'passing' | 'full' | 'final';

/** A step whose errors mean something else than their numbers say. */
type DiskStep = 'open' | 'sync';

/** The error of such a step. It keeps the code of its cause. */
export class DiskStepError extends Error {
  override readonly name = 'DiskStepError';
  readonly step: DiskStep;
  readonly code: unknown;
  readonly path: string | undefined;

  constructor(step: DiskStep, cause: unknown) {
    super((cause as Error).message, { cause });
    this.step = step;
    const { code, path } = cause as { code?: unknown; path?: string };
    this.code = code;
    this.path = path;
  }
}

const passing = new Set([
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOBUFS',
  'EINTR',
  'EAGAIN',
  'EWOULDBLOCK',
  'EBUSY',
  'ETXTBSY',
  'ENOLCK',
  'EDEADLK',
]);
const full = new Set(['ENOSPC', 'EDQUOT']);

/** LMDB's own: the map, the readers, a transaction or its cursors are full, or another process resized the map. */
const passingInLmdb = new Set([-30_792, -30_790, -30_788, -30_787, -30_785]);

/**
 * Reads what an error of the disk means. It looks through causes. An error nobody knows is final: to write on over lost
 * bytes is worse than to stop.
 *
 * - A failed sync is always final, whatever its number: a second one may succeed over lost pages.
 * - A file that could not be opened or made is never final: nothing was written to it.
 */
export function diskFaultOf(error: unknown): DiskFault {
  for (let at = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    if (isQuasarError(at, 'storage_full')) return 'full';
    if (isQuasarError(at, 'storage_busy')) return 'passing';
    if (at instanceof DiskStepError && at.step === 'sync') return 'final';
    const { code } = at as { code?: unknown };
    const name = typeof code === 'number' ? nameOf(code) : code;
    if (typeof name === 'string' && full.has(name)) return 'full';
    if (typeof name === 'string' && passing.has(name)) return 'passing';
    if (typeof code === 'number' && passingInLmdb.has(code)) return 'passing';
    if (at instanceof DiskStepError || isOutOfMemory(at)) return 'passing';
  }
  return 'final';
}

/** True when we or the machine were short of something, which says nothing of the file. */
export function isShortage(error: unknown): boolean {
  return passing.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** The engine says it in a sentence where the system would say ENOMEM. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /allocat/.test(error.message);
}

/** Is the disk to blame for an error, and for good? An error nobody knows may be ours, where no byte is at stake. */
export function isDiskDeath(error: unknown): boolean {
  return isDiskError(error) && diskFaultOf(error) === 'final';
}

/** Does an error, or a cause of it, come from the system, not from a program? */
export function isDiskError(error: unknown): boolean {
  for (let at = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'number' ? nameOf(code) !== undefined : typeof code === 'string' && code in constants.errno) return true;
  }
  return false;
}

/** The system's word for an error, wherever in its causes that stands; what the innermost says where there is none. */
export function systemCodeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (cause !== undefined) return systemCodeOf(cause);
  return (typeof code === 'number' ? nameOf(code) : undefined) ?? String(code ?? error);
}

/** The name of a system's error number; LMDB gives those instead of names. */
export function nameOf(code: number): string | undefined {
  return Object.entries(constants.errno).find(([, number]) => number === code)?.[0];
}
