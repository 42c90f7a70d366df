import { fstatSync, readFileSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { QuasarError } from '../core/errors.ts';

/**
 * Standard input of this process. Node.js shows a folder, and an input that is closed, as an empty one: here they are
 * errors, because an empty document would be stored of nothing.
 */
export function standardInput(): Readable {
  const message = inputFault();
  if (message === undefined) return process.stdin;
  const fault = new QuasarError('file_unreadable', { op: 'cli.input', message });
  return new Readable({
    read() {
      this.destroy(fault);
    },
  });
}

function inputFault(): string | undefined {
  const stats = fstatSync(0);
  if (stats.isDirectory()) return 'Standard input is a folder. Pipe the bytes in, or name a file.';
  if (stats.isCharacterDevice() && isReplaced(stats.rdev)) return 'Standard input is closed. Pipe the bytes in, or name a file.';
  return undefined;
}

/** In place of a closed one Node.js opens the null device, for reading and writing; a shell opens it for reading. */
function isReplaced(device: number): boolean {
  try {
    if (statSync('/dev/null').rdev !== device) return false;
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/0', 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & ACCESS_MODE) === READ_WRITE;
  } catch {
    // Not on Linux: nothing tells.
    return false;
  }
}

const ACCESS_MODE = 0o3;
const READ_WRITE = 0o2;
