import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { QuasarError } from '../core/errors.ts';

/**
 * A lock that ends with our process, however it ends: util-linux flock takes it on a descriptor it inherits from us,
 * and the kernel keeps it for as long as ours is open. Node opens files close-on-exec, so no other child holds it.
 */
export class DirectoryLock {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @throws QuasarError `storage_in_use` when another process holds it. */
  static async take(path: string): Promise<DirectoryLock> {
    const file = await open(path, 'a', 0o600);
    try {
      if (!(await runFlock(file.fd))) {
        throw new QuasarError('storage_in_use', {
          op: 'database.open',
          message: 'Another process uses this data directory; stop it, or give this one another --data.',
        });
      }
      return new DirectoryLock(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.#file.close();
  }
}

function runFlock(fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-xn', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.on('error', (cause) => {
      const message = 'The program "flock" is missing; it comes with util-linux.';
      reject(new QuasarError('database_refused', { op: 'database.open', message, cause }));
    });
    child.on('exit', (code) => resolve(code === 0));
  });
}
