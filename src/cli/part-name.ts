import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { systemClock } from '../core/clock.ts';

/**
 * Names of unfinished files, beside the file they are to become. `scan.pdf.<tag>.part` waits to be continued; the tag stands
 * for the content it is the beginning of. `scan.pdf.<tag>.<owner>.part` is being written: nobody else touches it while the
 * process in its name lives.
 */
export class PartNames {
  readonly #stem: string;

  constructor(path: string) {
    const name = basename(path);
    // What is added must fit into the 255 bytes of a name.
    this.#stem = Buffer.byteLength(name) <= STEM_SIZE_MAX ? name : hashOf(name).slice(0, 32);
  }

  waiting(tag: string): string {
    return `${this.#stem}.${tag}.part`;
  }

  /** Another one each time. */
  own(tag: string): string {
    return `${this.#stem}.${tag}.${process.pid}-${processSpace()}-${randomHex(6)}.part`;
  }

  /** The tag of an unfinished file of this path that nobody writes; undefined for all other names. */
  abandonedTag(name: string): string | undefined {
    if (!name.startsWith(`${this.#stem}.`)) return undefined;
    const found = PART.exec(name.slice(this.#stem.length));
    if (found === null) return undefined;
    const [, tag, pid, space] = found;
    if (pid !== undefined && (space !== processSpace() || isAlive(Number(pid)))) return undefined;
    return tag;
  }
}

/** Short, and the same for the same content in every run. */
export function tagOf(content: string): string {
  return hashOf(content).slice(0, TAG_LENGTH);
}

const TAG_LENGTH = 16;
const STEM_SIZE_MAX = 150;
const PART = /^\.([0-9a-f]{16})(?:\.(\d{1,10})-([0-9a-f]{8})-[0-9a-f]{12})?\.part$/;

function randomHex(size: number): string {
  return Buffer.from(systemClock.random(size)).toString('hex');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Process numbers mean something within one start of one machine, and one container of it. */
function processSpace(): string {
  space ??= hashOf(readSpace()).slice(0, 8);
  return space;
}

let space: string | undefined;

function readSpace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Then no process can be told to be dead, and nothing of another one is taken.
    return randomHex(16);
  }
}
