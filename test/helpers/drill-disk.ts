import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const MiB = 1024 * 1024;
const BALLAST = 'ballast';

/** A file system of its own, in memory, that can be filled up without harm to anyone. Mounting takes root. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static mount(t: Test, size: number): SmallDisk {
    if (process.getuid?.() !== 0) throw new Error('A disk that can be filled up has to be mounted: run the fault tests as root.');
    const folder = mkdtempSync(join(tmpdir(), 'quasar-disk-'));
    run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'tmpfs', folder]);
    t.teardown(() => {
      // Lazily: a process that is on its way out may still have a file open.
      run('umount', ['--lazy', folder]);
      rmdirSync(folder);
    });
    return new SmallDisk(folder);
  }

  /** Some other program takes all room but `leave` bytes. */
  async fill(leave = 0): Promise<void> {
    const file = await open(join(this.folder, BALLAST), 'a');
    try {
      let room = (await this.#free()) - leave;
      for (; room > 0; room = (await this.#free()) - leave) await write(file, Math.min(room, MiB));
    } finally {
      await file.close();
    }
  }

  /** The other program takes its bytes away again. */
  relieve(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }

  async #free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }
}

/** Somebody else may be faster; then there is no room left, which is what was wanted. */
async function write(file: FileHandle, size: number): Promise<void> {
  try {
    await file.write(Buffer.alloc(size, 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`A small disk could not be set up (${program} ${args.join(' ')}): ${error?.message ?? stderr}`);
}
