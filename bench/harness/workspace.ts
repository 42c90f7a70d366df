import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the clone, from compiled code. */
export const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** The scenarios keep their stores below this together. */
export const roomNeeded = 12e9;

/** A folder on the disk that is measured; everything the benches write lies in it, and it goes with them. */
export class Workspace {
  readonly path: string;
  #count = 0;

  constructor(parent: string) {
    mkdirSync(parent, { recursive: true });
    this.path = mkdtempSync(join(resolve(parent), 'bench-'));
  }

  /** Of bytes that an ordinary user may take. */
  get free(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** A path that nothing has. */
  fresh(name: string): string {
    this.#count += 1;
    return join(this.path, `${this.#count}-${name.replaceAll(/[^a-z0-9]+/gi, '-')}`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Type of the file system that holds `path`, and whether it discards what is freed: that slows deletes down. */
export function fileSystemOf(path: string): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, at = '']) => path === at || path.startsWith(at.endsWith('/') ? at : `${at}/`))
    .sort(([, left = ''], [, right = '']) => left.length - right.length);
  const [, , type = 'unknown', options = ''] = mounts.at(-1) ?? [];
  return options.split(',').includes('discard') ? `${type}, discard` : type;
}
