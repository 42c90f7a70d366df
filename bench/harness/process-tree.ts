import { readdirSync, readFileSync } from 'node:fs';

/** What /proc says about a process and its descendants. Linux only, as the benches are. */

/** The kernel's clock for these counters is fixed at 100 a second for every program, whatever it was built with. */
const TICKS_PER_SECOND = 100;
const AT = { parent: 1, userTime: 11, systemTime: 12, reapedUserTime: 13, reapedSystemTime: 14 } as const;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Its own and that of children it has waited for. */
  readonly ticks: number;
}

/** User and system time of a process and all its descendants, those that have ended included. */
export function cpuSecondsOf(pid: number): number {
  const stats = readAllStats();
  const tree = new Set([pid]);
  // Parents can have higher numbers than children, so a pass may find what the one before could not.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const stat of stats) if (tree.has(stat.parent)) tree.add(stat.pid);
  }
  return stats.filter((stat) => tree.has(stat.pid)).reduce((total, stat) => total + stat.ticks, 0) / TICKS_PER_SECOND;
}

/** Anonymous and shared memory of one process, children not included: what it holds, without mapped files. In bytes. */
export function heldMemoryOf(pid: number): number {
  const status = readProc(`/proc/${pid}/status`) ?? '';
  return (kibOf(status, 'RssAnon') + kibOf(status, 'RssShmem')) * 1024;
}

const WATCH_MS = 100;

/** Looks every 100 ms; `end` returns the most that was held. */
export function watchMemory(pid: number): { readonly end: () => number } {
  let peak = heldMemoryOf(pid);
  const look = () => {
    peak = Math.max(peak, heldMemoryOf(pid));
  };
  const timer = setInterval(look, WATCH_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function kibOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

function readAllStats(): Stat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
}

function readStat(pid: number): Stat | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command's name may hold spaces and brackets; what is counted begins behind its last bracket.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const { parent, ...times } = AT;
  return { pid, parent: fields[parent] ?? 0, ticks: Object.values(times).reduce((total, at) => total + (fields[at] ?? 0), 0) };
}

/** Undefined when the process ended meanwhile. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
