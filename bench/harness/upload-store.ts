import { rmSync } from 'node:fs';
import { checkDownload, makeFile, putFile } from './content.ts';
import type { FileStore, PeerSetting } from './file-store.ts';
import { type FileState, sendRequests } from './native-programs.ts';
import type { QuasarOptions } from './quasar-server.ts';
import { type Acknowledged, QuasarStore } from './quasar-store.ts';
import type { Sample } from './results.ts';
import type { Candidate } from './rounds.ts';
import type { Stage } from './stage.ts';

const CHECKED_SIZE = 5_000_011;
/** Three fill the first segment. So many on each: a server that has just started still compiles its code, a third more a byte. */
const QUASAR_ROLL: Upload = { size: 100_000_000, connections: 3, repeat: 5 };
/** Programs in Go or C are warm at once, and the disk has to hold several peers. */
const PEER_ROLL: Upload = { size: 20_000_000, connections: 3, repeat: 2 };
/** Fewer requests than this have no percentiles to speak of. */
const MEANINGFUL = 100;

export interface Upload {
  readonly size: number;
  readonly connections: number;
  /** Requests on each connection. */
  readonly repeat?: number;
}

interface UploadStoreOptions {
  /** Beyond this it begins again with an empty store. */
  readonly sizeMax: number;
  /** What it is warmed up with. */
  readonly roll: Upload;
  /** After the rolling. */
  readonly settled?: () => Promise<void>;
  readonly check?: (acknowledged: ReadonlyMap<number, Acknowledged>) => Promise<void>;
}

/** A store that uploads are measured on. It counts what was acknowledged, and a Quasar must agree at the end. */
export class UploadStore {
  readonly store: FileStore;
  readonly #options: UploadStoreOptions;
  readonly #acknowledged = new Map<number, Acknowledged>();

  private constructor(store: FileStore, options: UploadStoreOptions) {
    this.store = store;
    this.#options = options;
  }

  /** `state` is that of the segments it writes into: made as they grow, or filled with zeros before. */
  static async openQuasar(
    stage: Stage,
    {
      adapter,
      state,
      sizeMax,
    }: { readonly adapter: NonNullable<QuasarOptions['adapter']>; readonly state: FileState; readonly sizeMax: number },
  ): Promise<UploadStore> {
    const quasar = await QuasarStore.open(stage, { adapter, ...(state === 'fresh' ? { spareSegments: 0 } : {}) });
    const file = makeFile(stage.workspace.fresh('checked'), CHECKED_SIZE);
    await checkDownload(quasar.server, await putFile(quasar.server, file), file);
    rmSync(file.path);
    const settled = async () => {
      if (state === 'written') await quasar.server.untilSpare();
    };
    return UploadStore.#rolled(quasar, { sizeMax, roll: QUASAR_ROLL, settled, check: (counts) => quasar.check(counts) });
  }

  /** The setting's own opening checks what it answers. */
  static async openPeer(stage: Stage, setting: PeerSetting, { sizeMax }: { readonly sizeMax: number }): Promise<UploadStore> {
    return UploadStore.#rolled(await setting.open(stage), { sizeMax, roll: PEER_ROLL });
  }

  static async #rolled(opened: FileStore, options: UploadStoreOptions): Promise<UploadStore> {
    const store = new UploadStore(opened, options);
    await store.#roll();
    return store;
  }

  /** Measures this upload in each round. The value is MB a second, or what `toValue` makes of that. */
  candidate(upload: Upload, toValue = (mbPerSecond: number) => mbPerSecond): Candidate {
    const { name, role, durability } = this.store;
    return {
      name,
      role,
      durability,
      pid: () => this.store.pid,
      prepare: () => this.prepare(),
      run: async () => {
        const sample = await this.upload(upload);
        return { ...sample, value: toValue(sample.value) };
      },
    };
  }

  /** Before a measurement: room on the disk, and spare segments if that is the state. */
  async prepare(): Promise<void> {
    if (this.store.storeSize() > this.#options.sizeMax) {
      await this.store.renew();
      this.#acknowledged.clear();
      await this.#roll();
    } else {
      await this.#options.settled?.();
    }
  }

  /** One-shot uploads of distinct bytes; the value is MB a second. */
  async upload({ size, connections, repeat = 1 }: Upload): Promise<Sample> {
    const requests = await this.store.writes(connections * repeat, size);
    const sample = await send(this.store.port, { requests, size, connections, repeat });
    const before = this.#acknowledged.get(size) ?? { count: 0, unclear: 0 };
    const { failures = 0 } = sample;
    const count = before.count + connections * repeat - failures;
    this.#acknowledged.set(size, { count, unclear: before.unclear + failures });
    return sample;
  }

  /** Throws when a Quasar lists other uploads than it acknowledged, or one does not read back. */
  async check(): Promise<void> {
    await this.#options.check?.(this.#acknowledged);
  }

  /** Fills a first segment where there are such, and leaves the server's code compiled. */
  async #roll(): Promise<void> {
    await this.upload(this.#options.roll);
    await this.#options.settled?.();
  }
}

/** Sends uploads; fails when none was answered with 2xx. */
export async function send(port: number, load: Omit<Parameters<typeof sendRequests>[0], 'port'>): Promise<Sample> {
  const result = await sendRequests({ port, ...load });
  const { requests, bytes, failures, mbPerSecond: value, p50Ms, p99Ms } = result;
  if (requests === 0) throw new Error(`no upload was answered with 2xx: ${JSON.stringify(result.statuses)}`);
  return requests < MEANINGFUL ? { value, bytes, failures } : { value, bytes, failures, p50Ms, p99Ms };
}
