import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { createFile, syncData, syncFile } from './durable-steps.ts';
import { nodePaths } from './format.ts';
import { readFully, type SegmentFile, type SegmentFiles, writeFully } from './segment-files.ts';
import { decodeManifest, encodeManifestEntry, type ManifestContent, type ManifestEntry } from './segment-manifest.ts';

export interface ManifestOptions {
  readonly files: SegmentFiles;
  /** The node's directory; `quarantine/` exists below it. */
  readonly directory: string;
  readonly clock: Clock;
}

/**
 * The file MANIFEST, open for appending. An entry counts once it is durable. After a failed append nobody knows what
 * the file holds, so every further one is refused until the next start has read it.
 */
export class ManifestFile {
  readonly #file: SegmentFile;
  readonly #clock: Clock;
  #end: number;
  #number: number;
  #last: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(file: SegmentFile, clock: Clock, content: ManifestContent) {
    this.#file = file;
    this.#clock = clock;
    this.#end = content.end;
    this.#number = content.entries.length;
  }

  /**
   * Makes an empty MANIFEST durable where there is none. A torn tail is copied to `quarantine/` and cut. What a process
   * wrote that died before its sync may be in the page cache only: it is synced before anybody relies on it.
   * @throws QuasarError `corrupt` when good entries follow behind a bad one; the file is left as it is.
   */
  static async open(options: ManifestOptions): Promise<{ manifest: ManifestFile; content: ManifestContent }> {
    const { files, directory, clock } = options;
    const file = await openOrCreate(files, directory);
    try {
      const content = await readManifest(file);
      if (content.damaged) {
        throw damagedManifest(content);
      }
      if (content.fault !== undefined) await quarantineTail(options, file, content.end);
      else if (content.entries.length > 0) await syncData(file);
      return { manifest: new ManifestFile(file, clock, content), content };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Resolves when the entry is durable. Entries keep the order of the calls. */
  append(entry: ManifestEntry): Promise<void> {
    const appended = this.#last.then(() => this.#write(entry));
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  /** Waits for appends under way. */
  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #write(entry: ManifestEntry): Promise<void> {
    if (this.#failure !== undefined)
      throw new QuasarError('node_read_only', { op: 'segment.appendManifest', cause: this.#failure });
    const bytes = encodeManifestEntry({ number: this.#number + 1, timeMs: this.#clock.now(), entry });
    try {
      await writeFully(this.#file, bytes, this.#end);
      await syncData(this.#file);
    } catch (cause) {
      this.#failure = cause;
      throw cause;
    }
    this.#end += bytes.byteLength;
    this.#number += 1;
  }
}

/** For those who only look, beside a live node too. @throws the file's read errors. */
export async function readManifest(file: SegmentFile): Promise<ManifestContent> {
  const bytes = Buffer.alloc(await file.size());
  return decodeManifest(bytes.subarray(0, await readFully(file, bytes, 0)));
}

async function openOrCreate(files: SegmentFiles, directory: string): Promise<SegmentFile> {
  const path = join(directory, nodePaths.manifest);
  try {
    return await files.open(path, { access: 'write', direct: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await createFile(files, path, async () => undefined);
  return files.open(path, { access: 'write', direct: false });
}

async function quarantineTail({ files, directory, clock }: ManifestOptions, file: SegmentFile, end: number): Promise<void> {
  const tail = Buffer.alloc((await file.size()) - end);
  await readFully(file, tail, end);
  const folder = join(directory, nodePaths.quarantine);
  await createFile(files, join(folder, `MANIFEST-${end}-${clock.now()}`), (copy) => writeFully(copy, tail, 0));
  await file.truncate(end);
  await syncFile(file);
}

/** For a MANIFEST with good entries behind a bad one. */
export function damagedManifest({ end, fault }: ManifestContent): QuasarError {
  const message =
    `MANIFEST is damaged behind byte ${end}: ${fault}. Put it back from a copy. Without a copy, move it away: the next start makes ` +
    'it anew from the segments that are there, and does not miss others.';
  return new QuasarError('corrupt', { op: 'segment.openManifest', message });
}
