import type { Test } from 'tap';
import type { Hasher } from '../../src/chunker/hasher.ts';
import { blockIdOf } from '../../src/core/blake3.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Log, type LogFields, silentLog } from '../../src/core/log.ts';
import type { LocalNode } from '../../src/graviton/local-node.ts';
import { Scrub, type ScrubOptions } from '../../src/graviton/scrub.ts';
import { testSlab } from './segment-fixture.ts';

/** As fast as the disk, and without the waits that are there for people. */
export const fastRules = {
  rateMin: 2 ** 40,
  rateMax: 2 ** 40,
  intervalMs: 3_600_000,
  startDelayMs: 0,
  patienceMs: 3_600_000,
  faultPauseMs: 1,
  saveIntervalMs: 0,
} as const;

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps every line. */
export function recordingLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: LogFields, message: string) => {
    lines.push({ level, message, fields });
  };
  const log: Log = {
    ...silentLog,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return { log, lines };
}

/** Hashes blocks on this thread, and nothing else. */
export function inlineHasher(): Pick<Hasher, 'hashBlock'> {
  const slab = testSlab();
  return { hashBlock: async (at, size) => blockIdOf(slab.bytes.subarray(at, at + size)) };
}

/** Closed when the test is over, if not before: open the node first. */
export function startScrub(t: Test, node: LocalNode, changes: Partial<ScrubOptions> = {}): { scrub: Scrub; lines: LogLine[] } {
  const { log, lines } = recordingLog();
  const access = node.scrubAccess;
  const options = { access, slab: testSlab(), hasher: inlineHasher(), clock: systemClock, log, ...changes };
  const scrub = Scrub.start({ ...options, rules: { ...fastRules, ...changes.rules } });
  t.teardown(() => scrub.close());
  return { scrub, lines };
}
