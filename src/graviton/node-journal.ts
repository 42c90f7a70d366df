import type { Clock } from '../core/clock.ts';
import { ManifestFile } from '../segment/manifest-file.ts';
import type { SegmentFiles } from '../segment/segment-files.ts';
import type { ManifestEntry } from '../segment/segment-manifest.ts';
import { isDiskFull } from './disk-full.ts';
import { SegmentLedger } from './segment-ledger.ts';

export interface JournalOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly clock: Clock;
}

/**
 * MANIFEST and what it amounts to: an entry counts in the ledger as soon as it is durable, and not before.
 * A full disk fails one entry; the next one opens the file anew, which cuts what was half written.
 */
export class NodeJournal {
  readonly ledger: SegmentLedger;
  /** Why the end of MANIFEST was cut off at the start; undefined when it was whole. */
  readonly cut: string | undefined;
  readonly #options: JournalOptions;
  #manifest: ManifestFile;
  #ended = false;
  #tail: Promise<void> = Promise.resolve();

  private constructor(
    options: JournalOptions,
    manifest: ManifestFile,
    start: { ledger: SegmentLedger; cut: string | undefined },
  ) {
    this.#options = options;
    this.#manifest = manifest;
    this.ledger = start.ledger;
    this.cut = start.cut;
  }

  /** @throws QuasarError `corrupt` when entries before the last are damaged. */
  static async open(options: JournalOptions): Promise<NodeJournal> {
    const { manifest, content } = await ManifestFile.open(options);
    return new NodeJournal(options, manifest, { ledger: SegmentLedger.of(content.entries), cut: content.fault });
  }

  /** Resolves when the entry is durable. Calls run in order. @throws the file's error. */
  record(entry: ManifestEntry): Promise<void> {
    const done = this.#tail.then(() => this.#append(entry));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#manifest.close();
  }

  async #append(entry: ManifestEntry): Promise<void> {
    if (this.#ended) await this.#reopen();
    try {
      await this.#manifest.append(entry);
    } catch (error) {
      this.#ended = isDiskFull(error);
      throw error;
    }
    this.ledger.apply(entry, this.#options.clock.now());
  }

  async #reopen(): Promise<void> {
    await this.#manifest.close();
    const { manifest } = await ManifestFile.open(this.#options);
    this.#manifest = manifest;
    this.#ended = false;
  }
}
