import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';

/**
 * How many connections may be open: what is configured, or what the limit of open files leaves beside what disk, database
 * and logs need. Idle clients must never be why a segment cannot be opened.
 * @throws QuasarError `config_invalid` when the limit leaves too few to serve.
 */
export async function countConnections(config: Pick<Config, 'http' | 'database'>, log: Pick<Log, 'warn'>): Promise<number> {
  const descriptorsMax = await readDescriptorLimit();
  const connectionsMax = connectionsWithin(descriptorsMax, config);
  if (connectionsMax < Math.min(config.http.connectionsMax, limits.httpConnectionsFew)) {
    log.warn({ descriptorsMax, connectionsMax }, 'the limit of open files (ulimit -n) leaves few connections');
  }
  return connectionsMax;
}

/** @throws QuasarError `config_invalid` */
export function connectionsWithin(descriptorsMax: number, { http, database }: Pick<Config, 'http' | 'database'>): number {
  const reserved = limits.descriptorsReserved + Math.max(0, database.poolSize - limits.databasePoolSize);
  const left = descriptorsMax - reserved;
  if (left >= limits.httpConnectionsMin) return Math.min(left, http.connectionsMax);
  throw new QuasarError('config_invalid', {
    op: 'http.open',
    message: `At most ${descriptorsMax} files can be open at once, and Quasar needs ${reserved + limits.httpConnectionsMin}. Raise the limit before the start: ulimit -n 65536 in a shell, LimitNOFILE=65536 in a systemd unit.`,
    details: { descriptorsMax },
  });
}

/** The soft limit as it is now: Node.js raises it to the hard one when it starts. */
async function readDescriptorLimit(): Promise<number> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  return parseDescriptorLimit(text);
}

export function parseDescriptorLimit(limitsText: string): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(limitsText) ?? [];
  if (soft === undefined) return DESCRIPTORS_UNKNOWN;
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}

/** Every system gives a process so many at least, where nobody has lowered it. */
const DESCRIPTORS_UNKNOWN = 1024;
