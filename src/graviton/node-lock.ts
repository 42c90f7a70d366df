import { spawn } from 'node:child_process';
import { closeSync, lstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { QuasarError } from '../core/errors.ts';
import { diskFaultOf } from '../segment/disk-fault.ts';
import { NotAFileError } from '../segment/not-a-file.ts';

const HELD_BY_ANOTHER = 1;

/**
 * One process per node directory. Node has no flock(2), so `flock` of util-linux takes the lock on a descriptor it
 * inherits. A lock belongs to the open file description, which is ours: it outlives that child, is let go when we
 * close the descriptor, and by the kernel when we die, however we die. The file itself says nothing and stays. The folder
 * is locked, too: somebody may remove the file under a running node, and another one must not take that for leave.
 */
export class NodeLock {
  #descriptors: number[];

  private constructor(descriptors: number[]) {
    this.#descriptors = descriptors;
  }

  /** @throws QuasarError `storage_in_use`; the file system's error. */
  static async acquire(path: string): Promise<NodeLock> {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) throw new NotAFileError(path, found);
    const lock = new NodeLock([openSync(path, 'a', 0o600)]);
    try {
      await lock.#take();
      lock.#descriptors.push(openSync(dirname(path), 'r'));
      await lock.#take({ mayFail: true });
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The last one opened. Network file systems lock no folders (`mayFail`); there the file has to do. */
  async #take({ mayFail = false } = {}): Promise<void> {
    const exitCode = await runFlock(this.#descriptors.at(-1) as number);
    if (exitCode === HELD_BY_ANOTHER) throw new QuasarError('storage_in_use', { op: 'graviton.lock' });
    if (exitCode !== 0 && !mayFail) throw new Error(`flock ended with code ${exitCode}`);
  }

  /** Idempotent. */
  release(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
    this.#descriptors = [];
  }
}

/** The descriptor becomes number 3 of the child. */
function runFlock(fd: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-xn', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.once('error', (cause) =>
      reject(
        diskFaultOf(cause) === 'passing'
          ? cause
          : new QuasarError('internal', {
              op: 'graviton.lock',
              message: 'The command flock (package util-linux) is needed to lock the storage directory and does not run.',
              cause,
            }),
      ),
    );
    child.once('close', resolve);
  });
}
