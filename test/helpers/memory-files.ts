import { basename, dirname } from 'node:path';
import type { OpenOptions, SegmentFile, SegmentFiles } from '../../src/segment/segment-files.ts';

export interface FileStep {
  /** Counts all steps from 1. */
  readonly number: number;
  readonly op: 'open' | 'write' | 'read' | 'dataSync' | 'sync' | 'truncate' | 'chmod' | 'rename' | 'unlink' | 'syncDirectory';
  readonly path: string;
  readonly at: number;
  readonly size: number;
}

/** Before a step happens: may wait, throw, or return a smaller size for a short write. */
export type StepHook = (step: FileStep) => Promise<number | undefined> | number | undefined;

interface Inode {
  live: Buffer;
  durable: Buffer;
  mode: number;
}

/**
 * A file system in memory that tells what was written from what is durable: content counts after a sync of the file,
 * a name after a sync of its directory. `crash` gives what is left after a power cut.
 */
export class MemoryFiles implements SegmentFiles {
  readonly steps: FileStep[] = [];
  hook: StepHook = () => undefined;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();

  async open(path: string, options: OpenOptions): Promise<SegmentFile> {
    await this.step('open', path);
    const known = this.#names.get(path);
    if (options.access !== 'create' && known === undefined) throw failure('ENOENT', path);
    if (options.access === 'create' && known !== undefined) throw failure('EEXIST', path);
    const inode = known ?? { live: Buffer.alloc(0), durable: Buffer.alloc(0), mode: 0o600 };
    this.#names.set(path, inode);
    return new MemoryFile(this, path, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.step('rename', from);
    const inode = this.#names.get(from);
    if (inode === undefined) throw failure('ENOENT', from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  async unlink(path: string): Promise<void> {
    await this.step('unlink', path);
    if (!this.#names.delete(path)) throw failure('ENOENT', path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.step('syncDirectory', path);
    for (const name of this.#durableNames.keys())
      if (dirname(name) === path && !this.#names.has(name)) this.#durableNames.delete(name);
    for (const [name, inode] of this.#names) if (dirname(name) === path) this.#durableNames.set(name, inode);
  }

  async makeDirectory(): Promise<undefined> {}

  async list(path: string): Promise<readonly string[]> {
    return [...this.#names.keys()].filter((name) => dirname(name) === path).map((name) => basename(name));
  }

  async step(op: FileStep['op'], path: string, at = 0, size = 0): Promise<number | undefined> {
    const step = { number: this.steps.length + 1, op, path, at, size };
    this.steps.push(step);
    return this.hook(step);
  }

  /** What the files hold now, whether durable or not. */
  content(path: string): Buffer {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure('ENOENT', path);
    return inode.live;
  }

  mode(path: string): number | undefined {
    return this.#names.get(path)?.mode;
  }

  put(path: string, content: Uint8Array): void {
    const inode = { live: Buffer.from(content), durable: Buffer.from(content), mode: 0o600 };
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /**
   * The file system after a power cut: durable names with durable content, and of each 512-byte sector that was written
   * but not synced whatever `keep` decides.
   */
  crash(keep: () => boolean): MemoryFiles {
    const after = new MemoryFiles();
    for (const [name, inode] of this.#durableNames) after.put(name, survivor(inode, keep));
    return after;
  }
}

function survivor({ live, durable }: Inode, keep: () => boolean): Buffer {
  const result = Buffer.alloc(keep() ? live.byteLength : durable.byteLength);
  durable.copy(result);
  for (let at = 0; at < Math.min(live.byteLength, result.byteLength); at += 512) {
    const sector = live.subarray(at, at + 512);
    if (!sector.equals(durable.subarray(at, at + 512)) && keep()) sector.copy(result, at);
  }
  return result;
}

class MemoryFile implements SegmentFile {
  readonly path: string;
  readonly #files: MemoryFiles;
  readonly #inode: Inode;

  constructor(files: MemoryFiles, path: string, inode: Inode) {
    this.#files = files;
    this.path = path;
    this.#inode = inode;
  }

  async write(bytes: Uint8Array, at: number): Promise<number> {
    const copy = Buffer.from(bytes);
    const size = (await this.#files.step('write', this.path, at, bytes.byteLength)) ?? bytes.byteLength;
    const live = this.#inode.live;
    const grown = at + size > live.byteLength ? Buffer.concat([live, Buffer.alloc(at + size - live.byteLength)]) : live;
    copy.copy(grown, at, 0, size);
    this.#inode.live = grown;
    return size;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    await this.#files.step('read', this.path, at, into.byteLength);
    const found = this.#inode.live.subarray(at, at + into.byteLength);
    into.set(found);
    return found.byteLength;
  }

  async readVector(into: readonly Uint8Array[], at: number): Promise<number> {
    let done = 0;
    for (const target of into) done += await this.read(target, at + done);
    return done;
  }

  async dataSync(): Promise<void> {
    await this.#files.step('dataSync', this.path);
    this.#inode.durable = Buffer.from(this.#inode.live);
  }

  async sync(): Promise<void> {
    await this.#files.step('sync', this.path);
    this.#inode.durable = Buffer.from(this.#inode.live);
  }

  async truncate(size: number): Promise<void> {
    await this.#files.step('truncate', this.path, size);
    const live = Buffer.alloc(size);
    this.#inode.live.copy(live);
    this.#inode.live = live;
  }

  async size(): Promise<number> {
    return this.#inode.live.byteLength;
  }

  async chmod(mode: number): Promise<void> {
    await this.#files.step('chmod', this.path);
    this.#inode.mode = mode;
  }

  async close(): Promise<void> {}
}

export function failure(code: string, path = ''): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
