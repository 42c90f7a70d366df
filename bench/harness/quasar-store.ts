import { checkStored, contentPath, listDocuments } from './content.ts';
import type { FileStore, Requests } from './file-store.ts';
import { type QuasarOptions, QuasarServer } from './quasar-server.ts';
import type { Durability } from './results.ts';
import type { Stage } from './stage.ts';

export const edgeNames = { net: 'Quasar', node: 'Quasar, node:http' } as const;

export const quasarDurability: Durability = { durable: true, words: 'data, manifest and database synced' };

/** Quasar as one store among others: a document for each file. */
export class QuasarStore implements FileStore {
  readonly role = 'quasar';
  readonly name: string;
  readonly durability = quasarDurability;
  readonly server: QuasarServer;
  #batch = 0;
  #count = 0;

  private constructor(name: string, server: QuasarServer) {
    this.name = name;
    this.server = server;
  }

  /** The stage's closer stops it and removes its store. */
  static async open(stage: Stage, options: QuasarOptions = {}): Promise<QuasarStore> {
    return new QuasarStore(edgeNames[options.adapter ?? 'net'], await QuasarServer.open(stage, options));
  }

  get port(): number {
    return this.server.port;
  }

  get pid(): number {
    return this.server.pid;
  }

  get startMs(): number {
    return this.server.startMs;
  }

  async writes(count: number): Promise<Requests> {
    this.#batch += 1;
    this.#count = count;
    return { method: 'POST', paths: `/v1/documents?filename=${this.#prefix}%d.bin`, headers: this.server.headers };
  }

  /** By the list of documents, the newest first: what was stored last stands at its head, in the order of its numbers. */
  async reads(): Promise<Requests> {
    const numbers = new Map<string, number>();
    for await (const { documentId, filename } of listDocuments(this.server)) {
      if (numbers.size === this.#count) break;
      if (filename?.startsWith(this.#prefix)) numbers.set(documentId, Number.parseInt(filename.slice(this.#prefix.length), 10));
    }
    const ordered = [...numbers].sort(([, left], [, right]) => left - right);
    return { method: 'GET', paths: ordered.map(([documentId]) => contentPath(documentId)), headers: this.server.headers };
  }

  storeSize(): number {
    return this.server.storeSize();
  }

  async restart(): Promise<void> {
    await this.server.stop();
    await this.server.start();
  }

  renew(): Promise<void> {
    return this.server.renew();
  }

  /** Throws when the store lists other uploads than it acknowledged, or one does not read back. */
  async check(acknowledged: ReadonlyMap<number, Acknowledged>): Promise<void> {
    for (const [size, counts] of acknowledged) await checkStored(this.server, size, counts);
  }

  get #prefix(): string {
    return `bench-${this.#batch}-`;
  }
}

/** Uploads of one size. */
export interface Acknowledged {
  readonly count: number;
  /** Sent, and not answered with 2xx: they may be stored or not. */
  readonly unclear: number;
}
