import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; a header sent twice is joined with ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** False when the connection ended before Content-Length or the last chunk was reached. */
  readonly complete: boolean;
}

/** A client that sends exactly the bytes it is told to, well-formed or not. Text is sent as Latin-1. */
export class RawClient {
  readonly socket: Socket;
  #parts: Buffer[] = [];
  #size = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.#parts.push(bytes as Buffer);
      this.#size += bytes.length;
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    // A reset is an end like any other here; `closed` tells.
    socket.on('error', end);
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  get closed(): boolean {
    return this.#ended;
  }

  /** What came in and was not taken by `answer`. */
  get received(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }

  /** Bytes that came in and were not taken by `answer`. */
  get unread(): number {
    return this.#size;
  }

  send(data: string | Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** The next answer, or undefined when the connection ended without one. `head`: an answer to HEAD has no body. */
  async answer(options: { head?: boolean } = {}): Promise<RawAnswer | undefined> {
    for (;;) {
      const parsed = parse(this.received, options.head ?? false);
      if (parsed !== undefined && (parsed.answer.complete || this.#ended)) {
        this.#parts = [this.received.subarray(parsed.size)];
        this.#size -= parsed.size;
        return parsed.answer;
      }
      if (this.#ended) return undefined;
      // What is surely not the end of it is not put together each time it grows.
      const needed = parsed?.answer.headers.get('content-length');
      do await this.#change();
      while (!this.#ended && (needed === undefined ? this.#isWithinChunks() : this.#size < Number(needed)));
    }
  }

  #isWithinChunks(): boolean {
    const last = this.#parts.at(-1) as Buffer;
    return this.#size > 100_000 && last.length > 5 && !last.toString('latin1', last.length - 5).endsWith('0\r\n\r\n');
  }

  /** Resolves when the server has closed its side. */
  async untilClosed(): Promise<void> {
    while (!this.#ended) await this.#change();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function parse(received: Buffer, head: boolean): { answer: RawAnswer; size: number } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const lines = received.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(lines[0]?.split(' ')[1]);
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  if (!head && headers.get('transfer-encoding') === 'chunked') {
    const { body, size, complete } = parseChunks(received, headEnd + 4);
    return { answer: { status, headers, body, complete }, size };
  }
  const length = head || status < 200 || status === 204 || status === 304 ? 0 : Number(headers.get('content-length') ?? 0);
  const body = received.subarray(headEnd + 4, headEnd + 4 + length);
  return { answer: { status, headers, body, complete: body.byteLength === length }, size: headEnd + 4 + body.byteLength };
}

/** RFC 9112 section 7.1, without extensions and trailers. `size` is that of everything up to the end of the body. */
function parseChunks(received: Buffer, start: number): { body: Buffer; size: number; complete: boolean } {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const line = received.indexOf('\r\n', at);
    const length = line < 0 ? Number.NaN : Number.parseInt(received.toString('latin1', at, line), 16);
    const end = line + 2 + length;
    const whole = received.byteLength >= end + 2;
    if (!whole || length === 0)
      return { body: Buffer.concat(parts), size: whole ? end + 2 : received.byteLength, complete: whole };
    parts.push(received.subarray(line + 2, end));
    at = end + 2;
  }
}
