import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** What `quasar up` says when it does not come up. */
export async function refusal(flags: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'up', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, said, log: out, pid: child.pid as number };
}

/** Servers of PostgreSQL, and anything else, that work in a folder below this one. */
export function processesIn(folder: string): string[] {
  const inside = (pid: string): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch (error) {
      // It ended while we looked, or has no folder we may see.
      if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && inside(name));
}

export async function refuses(t: Test, flags: readonly string[], expected: { code: number; says: RegExp; data: string }) {
  const { code, said } = await refusal(flags);
  t.equal(code, expected.code, said);
  t.match(said, expected.says);
  t.equal(said.trimEnd().split('\n').length, 1, `one line says why: ${said}`);
  t.same(processesIn(expected.data), [], 'nothing is left running');
}
