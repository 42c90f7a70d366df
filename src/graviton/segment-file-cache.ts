import type { SegmentFile, SegmentFiles } from '../segment/segment-files.ts';
import { segmentPath } from './node-directory.ts';

interface OpenFile {
  readonly file: SegmentFile;
  readers: number;
  /** No longer in the cache; the last reader closes it. */
  dropped: boolean;
}

/** Segment files open for reading, through the page cache. The longest unread ones are closed beyond `countMax`. */
export class SegmentFileCache {
  readonly #files: SegmentFiles;
  readonly #directory: string;
  readonly #countMax: number;
  /** In order of last use. */
  readonly #open = new Map<number, OpenFile>();
  readonly #opening = new Map<number, Promise<void>>();

  constructor(options: { files: SegmentFiles; directory: string; countMax: number }) {
    this.#files = options.files;
    this.#directory = options.directory;
    this.#countMax = options.countMax;
  }

  /** Lends the segment's file to `read`. @throws the error of opening, or whatever `read` throws. */
  async use<Result>(segment: number, read: (file: SegmentFile) => Promise<Result>): Promise<Result> {
    let entry = this.#open.get(segment);
    // Between its opening and our turn the file may have been closed again as the longest unread one.
    while (entry === undefined) {
      await this.#openOnce(segment);
      entry = this.#open.get(segment);
    }
    this.#open.delete(segment);
    this.#open.set(segment, entry);
    entry.readers += 1;
    try {
      return await read(entry.file);
    } finally {
      entry.readers -= 1;
      if (entry.dropped && entry.readers === 0) await closeQuietly(entry.file);
      else if (this.#open.size > this.#countMax) await this.#closeOldest();
    }
  }

  /** Has the next use open the file anew: this one failed, and the path may lead to another by now. */
  async drop(segment: number): Promise<void> {
    const entry = this.#open.get(segment);
    if (entry === undefined) return;
    this.#open.delete(segment);
    entry.dropped = true;
    if (entry.readers === 0) await closeQuietly(entry.file);
  }

  /** Call when nothing reads any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
    const entries = [...this.#open.values()];
    this.#open.clear();
    for (const { file } of entries) await file.close();
  }

  #openOnce(segment: number): Promise<void> {
    let opening = this.#opening.get(segment);
    if (opening === undefined) {
      opening = this.#openFile(segment).finally(() => this.#opening.delete(segment));
      this.#opening.set(segment, opening);
    }
    return opening;
  }

  async #openFile(segment: number): Promise<void> {
    const file = await this.#files.open(segmentPath(this.#directory, segment), { access: 'read', direct: false });
    this.#open.set(segment, { file, readers: 0, dropped: false });
  }

  async #closeOldest(): Promise<void> {
    for (const [segment, entry] of this.#open) {
      if (entry.readers > 0) continue;
      this.#open.delete(segment);
      await entry.file.close();
      return;
    }
  }
}

/** It failed before, and was only read. */
async function closeQuietly(file: SegmentFile): Promise<void> {
  await file.close().catch(() => undefined);
}
