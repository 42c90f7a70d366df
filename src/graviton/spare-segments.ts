import { join } from 'node:path';
import { naming, syncFile } from '../segment/durable-steps.ts';
import { nodePaths } from '../segment/format.ts';
import { type SegmentFile, type SegmentFiles, writeFully } from '../segment/segment-files.ts';
import { BreakablePause } from './breakable-pause.ts';

export interface SpareOptions {
  readonly files: SegmentFiles;
  readonly directory: string;
  readonly countMax: number;
  readonly segmentSize: number;
  readonly direct: boolean;
  /** True while the writer has work: spares wait. */
  readonly busy: () => boolean;
  /** True when so many bytes can be taken without touching the free-space floor. */
  readonly hasRoom: (size: number) => boolean;
  readonly onFault: (error: unknown) => void;
}

const WRITE_SIZE = 4 * 1024 * 1024;
const WASM_PAGE_SIZE = 65_536;
/** Between two writes, and between two looks at a busy writer: at most a few hundred MB/s of an idle disk. */
const PAUSE_MS = 20;
const BUSY_PAUSE_MS = 200;

/**
 * Files of zeros made in idle time, for the next segments: writing into written extents is up to twice as fast as
 * into new ones. None is made before the first segment has rolled, so a small archive stays small.
 */
export class SpareSegments {
  readonly #options: SpareOptions;
  readonly #ready: string[] = [];
  #made = 0;
  #running: Promise<void> | undefined;
  readonly #pause = new BreakablePause();

  constructor(options: SpareOptions) {
    this.#options = options;
  }

  /** Takes over whole spares of an earlier run and removes half-made ones. */
  async adopt(): Promise<void> {
    const { files, directory, segmentSize, countMax } = this.#options;
    const folder = join(directory, nodePaths.segments);
    for (const name of await files.list(folder)) {
      if (!name.endsWith('.spare')) continue;
      const path = join(folder, name);
      this.#made = Math.max(this.#made, Number.parseInt(name, 10) || 0);
      const file = await files.open(path, { access: 'read', direct: false });
      const size = await file.size();
      await file.close();
      if (size === segmentSize && this.#ready.length < countMax) this.#ready.push(path);
      else await files.unlink(path);
    }
  }

  get count(): number {
    return this.#ready.length;
  }

  /** A whole spare's path, which now belongs to the caller; undefined when there is none. */
  take(): string | undefined {
    return this.#ready.pop();
  }

  /** Call when a segment has been filled: from now on spares are worth their space. */
  fill(): void {
    if (this.#pause.broken || this.#running !== undefined) return;
    this.#running = this.#makeAll()
      .catch((error: unknown) => this.#options.onFault(error))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Stops between two writes. Idempotent. */
  async close(): Promise<void> {
    this.#pause.break();
    await this.#running;
  }

  async #makeAll(): Promise<void> {
    const { countMax, hasRoom, segmentSize } = this.#options;
    while (!this.#pause.broken && this.#ready.length < countMax && hasRoom(segmentSize)) {
      const path = await this.#make();
      if (path !== undefined) this.#ready.push(path);
    }
  }

  /** Undefined when stopped half-way; nothing of the file is left then. */
  async #make(): Promise<string | undefined> {
    const { files, directory, direct } = this.#options;
    this.#made += 1;
    const path = join(directory, nodePaths.segments, `${this.#made}.spare`);
    const created = await naming(files.open(path, { access: 'create', direct: false }));
    await created.close();
    const file = await naming(files.open(path, { access: 'write', direct }));
    let whole = false;
    try {
      whole = await this.#zero(file);
    } finally {
      await file.close();
      if (!whole) await files.unlink(path);
    }
    return whole ? path : undefined;
  }

  async #zero(file: SegmentFile): Promise<boolean> {
    const { segmentSize } = this.#options;
    // Never touched, so the kernel maps its one zero page behind all of it.
    const zeros = new Uint8Array(new WebAssembly.Memory({ initial: WRITE_SIZE / WASM_PAGE_SIZE }).buffer);
    for (let at = 0; at < segmentSize; at += WRITE_SIZE) {
      await this.#untilIdle();
      if (this.#pause.broken) return false;
      await writeFully(file, zeros.subarray(0, Math.min(WRITE_SIZE, segmentSize - at)), at);
    }
    await syncFile(file);
    return true;
  }

  async #untilIdle(): Promise<void> {
    await this.#pause.rest(PAUSE_MS);
    while (this.#options.busy() && !this.#pause.broken) await this.#pause.rest(BUSY_PAUSE_MS);
  }
}
