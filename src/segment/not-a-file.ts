import type { Stats } from 'node:fs';

/** Something else lies where a node keeps a file. It is never opened: a pipe would keep us waiting for ever. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
  readonly path: string;
  readonly code: string;

  constructor(path: string, found: Stats) {
    const { kind, code } = kindOf(found);
    super(`${path} is ${kind}, where a storage node keeps a file.`);
    this.path = path;
    this.code = code;
  }
}

function kindOf(found: Stats): { kind: string; code: string } {
  if (found.isDirectory()) return { kind: 'a folder', code: 'EISDIR' };
  if (found.isSymbolicLink()) return { kind: 'a symbolic link', code: 'ELOOP' };
  if (found.isFIFO()) return { kind: 'a pipe', code: 'ENXIO' };
  return { kind: found.isSocket() ? 'a socket' : 'a device', code: 'ENXIO' };
}
