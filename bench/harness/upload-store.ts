import { rmSync } from 'node:fs';
import { checkDownload, checkStored, makeFile, putFile } from './content.ts';
import { type FileState, sendBytes } from './native-programs.ts';
import { type QuasarOptions, QuasarServer } from './quasar-server.ts';
import type { Sample } from './results.ts';
import type { Stage } from './stage.ts';

const CHECKED_SIZE = 5_000_011;
/** Three of these fill a first segment. */
const ROLLING_SIZE = 100_000_000;
const ROLLING_COUNT = 3;
/** So many on each: a server that has just started still compiles its code, which costs it a third more a byte. */
const ROLLING_REPEAT = 5;

export interface UploadStoreOptions {
  readonly adapter: NonNullable<QuasarOptions['adapter']>;
  /** Of the segments it writes into: made as they grow, or filled with zeros before. */
  readonly state: FileState;
  /** Beyond this it begins again with an empty store. */
  readonly sizeMax: number;
}

/** A Quasar that uploads are measured on. It counts what it acknowledged, and at the end the store must agree. */
export class UploadStore {
  readonly server: QuasarServer;
  readonly #options: UploadStoreOptions;
  readonly #acknowledged = new Map<number, number>();

  private constructor(server: QuasarServer, options: UploadStoreOptions) {
    this.server = server;
    this.#options = options;
  }

  static async open(stage: Stage, options: UploadStoreOptions): Promise<UploadStore> {
    const spareSegments = options.state === 'fresh' ? { spareSegments: 0 } : {};
    const server = await QuasarServer.open(stage, { adapter: options.adapter, ...spareSegments });
    const file = makeFile(stage.workspace.fresh('checked'), CHECKED_SIZE);
    await checkDownload(server.url, await putFile(server.url, file), file);
    rmSync(file.path);
    const store = new UploadStore(server, options);
    await store.#roll();
    return store;
  }

  /** Before a measurement: room on the disk, and spare segments if that is the state. */
  async prepare(): Promise<void> {
    const renewed = await this.server.renewBeyond(this.#options.sizeMax);
    if (renewed) {
      this.#acknowledged.clear();
      await this.#roll();
    } else if (this.#options.state === 'written') {
      await this.server.untilSpare();
    }
  }

  /** One-shot uploads; the value is MB a second. */
  async upload(size: number, connections: number, repeat = 1): Promise<Sample> {
    const path = '/v1/documents?filename=bench-%d.bin';
    const result = await sendBytes({ port: this.server.port, path, size, connections, repeat });
    this.#acknowledged.set(size, (this.#acknowledged.get(size) ?? 0) + result.requests);
    const { bytes, mbPerSecond: value, p50Ms, p99Ms } = result;
    return result.requests < MEANINGFUL ? { value, bytes } : { value, bytes, p50Ms, p99Ms };
  }

  /** Throws when the store lists other uploads than it acknowledged, or one does not read back. */
  async check(): Promise<void> {
    for (const [size, count] of this.#acknowledged) await checkStored(this.server.url, size, count);
  }

  /** Fills the first segment, which also leaves the server's code compiled. */
  async #roll(): Promise<void> {
    await this.upload(ROLLING_SIZE, ROLLING_COUNT, ROLLING_REPEAT);
    if (this.#options.state === 'written') await this.server.untilSpare();
  }
}

/** Fewer requests than this have no percentiles to speak of. */
const MEANINGFUL = 100;
