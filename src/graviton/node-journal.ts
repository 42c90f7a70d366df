import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { QuasarError } from '../core/errors.ts';
import { DiskStepError, diskFaultOf } from '../segment/disk-fault.ts';
import { nodePaths } from '../segment/format.ts';
import { damagedManifest, ManifestFile, readManifest } from '../segment/manifest-file.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { ManifestContent, ManifestEntry } from '../segment/segment-manifest.ts';
import { openIfThere } from './open-if-there.ts';
import { SegmentLedger } from './segment-ledger.ts';

export interface JournalOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly clock: Clock;
  /** MANIFEST failed in an earlier process and was not accepted since: it is read and left as it is. */
  readonly frozen?: boolean;
  /** Called once: MANIFEST takes nothing any more. */
  readonly onFailure?: (cause: unknown) => void;
}

/**
 * MANIFEST and what it amounts to: an entry counts in the ledger as soon as it is durable, and not before.
 *
 * It is in one of two modes. *Open*: an entry that finds the disk full, or the machine short of something, fails; the
 * next one opens the file anew, which cuts what was half written. *Frozen*: entered for good when a write or a sync of
 * MANIFEST failed, or at `open`. Nobody knows then what the disk holds of it, and an entry behind bytes that are lost would
 * make all of it unreadable, so nothing is written. What is wrong with stored bytes still counts for this process.
 */
export class NodeJournal {
  readonly ledger: SegmentLedger;
  /** Why the end of MANIFEST was cut off at the start; undefined when it was whole. */
  readonly cut: string | undefined;
  readonly #options: JournalOptions;
  #manifest: ManifestFile | undefined;
  #failure: unknown;
  #ended = false;
  #tail: Promise<void> = Promise.resolve();

  private constructor(options: JournalOptions, start: JournalStart) {
    this.#options = options;
    this.#manifest = start.manifest;
    this.#failure = start.failure;
    this.ledger = SegmentLedger.of(start.content.entries);
    this.cut = start.manifest === undefined ? undefined : start.content.fault;
  }

  /** @throws QuasarError `corrupt` when entries before the last are damaged. */
  static async open(options: JournalOptions): Promise<NodeJournal> {
    if (options.frozen) return new NodeJournal(options, { manifest: undefined, content: await readOnly(options) });
    try {
      return new NodeJournal(options, await ManifestFile.open(options));
    } catch (failure) {
      if (!(failure instanceof DiskStepError) || diskFaultOf(failure) !== 'final') throw failure;
      return new NodeJournal(options, { manifest: undefined, failure, content: await readOnly(options) });
    }
  }

  /** MANIFEST takes nothing any more. */
  get frozen(): boolean {
    return this.#manifest === undefined;
  }

  /** What made MANIFEST fail in this process. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Resolves when the entry is durable. Calls run in order. What is wrong with stored bytes is taken by a frozen journal, too:
   * for as long as this process lives.
   * @throws QuasarError `node_read_only` when it is frozen; the file's error.
   */
  record(entry: ManifestEntry): Promise<void> {
    const done = this.#tail.then(() => this.#append(entry));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#manifest?.close();
  }

  async #append(entry: ManifestEntry): Promise<void> {
    const manifest = await this.#writable();
    if (manifest !== undefined) await this.#write(manifest, entry);
    else if (!isFinding(entry)) throw new QuasarError('node_read_only', { op: 'graviton.record', cause: this.#failure });
    this.ledger.apply(entry, this.#options.clock.now());
  }

  async #write(manifest: ManifestFile, entry: ManifestEntry): Promise<void> {
    try {
      await manifest.append(entry);
    } catch (cause) {
      if (diskFaultOf(cause) === 'final') await this.#freeze(cause);
      else this.#ended = true;
      throw cause;
    }
  }

  async #writable(): Promise<ManifestFile | undefined> {
    if (!this.#ended) return this.#manifest;
    try {
      const { manifest } = await ManifestFile.open(this.#options);
      await this.#manifest?.close();
      this.#manifest = manifest;
      this.#ended = false;
      return manifest;
    } catch (cause) {
      if (diskFaultOf(cause) === 'final') await this.#freeze(cause);
      throw cause;
    }
  }

  async #freeze(cause: unknown): Promise<void> {
    const manifest = this.#manifest;
    this.#manifest = undefined;
    this.#ended = false;
    this.#failure = cause;
    this.#options.onFailure?.(cause);
    await manifest?.close().catch(() => undefined);
  }
}

interface JournalStart {
  readonly manifest: ManifestFile | undefined;
  readonly content: ManifestContent;
  readonly failure?: unknown;
}

function isFinding({ kind }: ManifestEntry): boolean {
  return kind === 'damage' || kind === 'whole' || kind === 'suspect';
}

/** Of a node that is read-only; there may be no MANIFEST yet. */
async function readOnly({ files, directory }: JournalOptions): Promise<ManifestContent> {
  const file = await openIfThere(files, join(directory, nodePaths.manifest));
  if (file === undefined) return { entries: [], end: 0, fault: undefined, damaged: false };
  try {
    const content = await readManifest(file);
    if (!content.damaged) return content;
    throw damagedManifest(content);
  } finally {
    await file.close();
  }
}
