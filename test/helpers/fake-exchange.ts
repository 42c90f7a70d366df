import type { QuasarError } from '../../src/core/errors.ts';
import type { Asker, BodyConsumer, Exchange } from '../../src/http/edge.ts';

export interface FakeRequest {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Delivered in these chunks; "gone" in place of the end when `cut`. */
  readonly body?: readonly Uint8Array[];
  readonly bodySize?: number | undefined;
  readonly cut?: boolean;
}

/** An exchange without a server, for what only reads requests and makes small answers. */
export class FakeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress = '127.0.0.1';
  readonly requestId = 'r1';
  readonly bodySize: number | undefined;
  readonly gone = false;
  readonly failure: QuasarError | undefined = undefined;
  readonly sent = { status: 0, bytes: 0 };
  route: string | undefined;
  address: string | undefined = '192.0.2.7';
  asker: Asker | undefined;
  answer: { readonly status: number; readonly headers: readonly string[]; readonly body: string } | undefined;
  readonly #request: FakeRequest;
  #head: { readonly status: number; readonly headers: readonly string[] } | undefined;
  #written = '';

  constructor(request: FakeRequest = {}) {
    this.#request = request;
    this.method = request.method ?? 'GET';
    this.path = request.path ?? '/';
    this.query = request.query ?? '';
    const total = (request.body ?? []).reduce((size, chunk) => size + chunk.byteLength, 0);
    this.bodySize = 'bodySize' in request ? request.bodySize : total;
  }

  header(name: string): string | undefined {
    return this.#request.headers?.[name];
  }

  headerNames(): readonly string[] {
    return Object.keys(this.#request.headers ?? {});
  }

  readBody(consumer: BodyConsumer): void {
    setImmediate(() => {
      for (const chunk of this.#request.body ?? []) consumer.chunk(chunk);
      if (this.#request.cut) consumer.gone();
      else consumer.end();
    });
  }

  reply(status: number, headers: readonly string[], body: string | Uint8Array = ''): void {
    this.sent.status = status;
    this.answer = { status, headers, body: Buffer.from(body as string).toString() };
  }

  start(status: number, headers: readonly string[], _size: number | undefined): void {
    this.sent.status = status;
    this.#head = { status, headers };
  }

  write(bytes: Uint8Array): true {
    this.sent.bytes += bytes.byteLength;
    this.#written += Buffer.from(bytes).toString('latin1');
    return true;
  }

  end(): void {
    if (this.#head !== undefined) this.answer = { ...this.#head, body: Buffer.from(this.#written, 'latin1').toString() };
  }

  pauseBody(): void {}
  resumeBody(): void {}
  onGone(): void {}
  destroy(): void {}
  fail(): void {}
}
