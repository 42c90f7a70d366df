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
  readonly reapedTicks: number;
}

/** User and system time of a process and all its descendants, those that have ended included. */
export function cpuSecondsOf(pid: number): number {
  return treeOf(pid).reduce((total, { ticks }) => total + ticks, 0) / TICKS_PER_SECOND;
}

/** User and system time of the children of this process that have ended. */
export function cpuSecondsOfEnded(): number {
  const { reapedTicks = 0 } = readStat(process.pid) ?? {};
  return reapedTicks / TICKS_PER_SECOND;
}

/** Anonymous and shared memory, without mapped files, in bytes. */
export interface HeldMemory {
  /** Of the process alone. */
  readonly own: number;
  /** Of it and its descendants; a page that several of them hold is counted once. */
  readonly tree: number;
}

export function heldMemoryOf(pid: number): HeldMemory {
  const status = readProc(`/proc/${pid}/status`) ?? '';
  const own = bytesOf(status, ['RssAnon', 'RssShmem']);
  const tree = treeOf(pid);
  return { own, tree: tree.length < 2 ? own : tree.reduce((total, each) => total + proportionOf(each.pid), 0) };
}

/** What a process holds, where shared pages are divided among those that share them. */
function proportionOf(pid: number): number {
  return bytesOf(readProc(`/proc/${pid}/smaps_rollup`) ?? '', ['Pss_Anon', 'Pss_Shmem']);
}

const WATCH_MS = 100;

/** Looks every 100 ms; `end` returns the most that was held. */
export function watchMemory(pid: number): { readonly end: () => HeldMemory } {
  let peak: HeldMemory = { own: 0, tree: 0 };
  const look = () => {
    const now = heldMemoryOf(pid);
    peak = { own: Math.max(peak.own, now.own), tree: Math.max(peak.tree, now.tree) };
  };
  look();
  const timer = setInterval(look, WATCH_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function bytesOf(text: string, names: readonly string[]): number {
  return names.reduce((total, name) => total + kibOf(text, name) * 1024, 0);
}

function treeOf(pid: number): Stat[] {
  const stats = readAllStats();
  const tree = new Set([pid]);
  // Parents can have higher numbers than children, so a pass may find what the one before could not.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const stat of stats) if (tree.has(stat.parent)) tree.add(stat.pid);
  }
  return stats.filter((stat) => tree.has(stat.pid));
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
  const at = (index: number) => fields[index] ?? 0;
  const reapedTicks = at(AT.reapedUserTime) + at(AT.reapedSystemTime);
  return { pid, parent: at(AT.parent), ticks: at(AT.userTime) + at(AT.systemTime) + reapedTicks, reapedTicks };
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
