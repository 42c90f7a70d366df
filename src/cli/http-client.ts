import type http from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { type ClientKey, explainUnauthenticated } from './client-key.ts';
import { usage } from './flags.ts';
import { problemOf } from './problem.ts';

export interface ClientRequest {
  readonly method: string;
  /** Below the server's address, with query: `/v1/documents?limit=1`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ClientBody;
}

/** Each chunk is borrowed until the next one is asked for. Exactly `size` bytes; undefined sends them chunked. */
export interface ClientBody {
  readonly size: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

export interface ClientOptions {
  readonly signal: AbortSignal;
  /** Goes with every request, in its Authorization header and nowhere else. */
  readonly key?: ClientKey | undefined;
  /** How long nothing may move before the server is given up. */
  readonly silenceMs?: number | undefined;
}

/**
 * Talks to one server over kept connections. Bodies stream in both directions; nothing is held beyond the chunk at hand.
 * Does not retry: who calls knows what may be repeated (attempts.ts).
 */
export class HttpClient {
  readonly url: URL;
  readonly #request: typeof http.request;
  readonly #agent: http.Agent;
  readonly #signal: AbortSignal;
  readonly #key: ClientKey | undefined;
  readonly #silenceMs: number;
  #reached = false;

  private constructor(url: URL, module: Pick<typeof http, 'request' | 'Agent'>, options: ClientOptions) {
    this.url = url;
    this.#request = module.request;
    this.#agent = new module.Agent({ keepAlive: true, maxFreeSockets: limits.putParallelMax });
    this.#signal = options.signal;
    this.#key = options.key;
    this.#silenceMs = options.silenceMs ?? limits.clientSilenceMs;
  }

  /** `url` is from `parseAddress`. */
  static async open(url: URL, options: ClientOptions): Promise<HttpClient> {
    const module = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    return new HttpClient(url, module as Pick<typeof http, 'request' | 'Agent'>, options);
  }

  /**
   * Sends a request; resolves at the head of a 2xx or 3xx answer, whose body the caller must read or destroy.
   * @throws QuasarError the problem the server answered; `server_unreachable` when the connection failed; what `chunks`
   * threw; `cancelled`.
   */
  async send(request: ClientRequest): Promise<Answer> {
    this.#signal.throwIfAborted();
    const { outgoing, answer } = this.#open(request);
    const sent = request.body === undefined ? endNow(outgoing) : sendBody(outgoing, request.body, answer);
    try {
      const { status, headers, body } = await Promise.race([answer, sent.then(() => answer)]);
      this.#reached = true;
      if (status < 400) return { status, headers, body };
      throw explainUnauthenticated(await problemOf({ status, headers, body }), this.#key);
    } catch (cause) {
      throw this.#explain(cause);
    } finally {
      // An answer before the end of our body: what is left of it is not wanted, and the connection is of no more use.
      if (!outgoing.writableEnded) outgoing.destroy();
      // The source is ours again only when nobody reads it any more; what it threw has been told above.
      await Promise.allSettled([sent, answer]);
    }
  }

  /** As `send`, and reads the answer's body to its end. Undefined when it has none. */
  async json(request: ClientRequest): Promise<{ headers: IncomingHttpHeaders; status: number; value: unknown }> {
    const { status, headers, body } = await this.send(request);
    const text = await this.#readText(body);
    if (text === '') return { status, headers, value: undefined };
    try {
      return { status, headers, value: JSON.parse(text) };
    } catch (cause) {
      throw new QuasarError('unexpected_answer', { op: 'cli.request', cause });
    }
  }

  /** Wraps what broke while a body was read. */
  bodyFault(cause: unknown): unknown {
    return this.#explain(cause);
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(request: ClientRequest) {
    const { method, path, headers, body } = request;
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      signal: this.#signal,
      headers: { accept: 'application/json', ...this.#credentials(), ...headers },
    };
    const base = this.url.href.replace(/\/+$/, '');
    const outgoing = this.#request(`${base}${path}`, options);
    if (body?.size !== undefined) outgoing.setHeader('content-length', body.size);
    outgoing.setTimeout(this.#silenceMs, () => outgoing.destroy(new Error(`nothing moved for ${this.#silenceMs / 1000} s`)));
    const answer = new Promise<Answer>((resolve, reject) => {
      outgoing.on('response', (message) =>
        resolve({ status: message.statusCode as number, headers: message.headers, body: message }),
      );
      outgoing.on('error', reject);
      outgoing.on('close', () => reject(new Error('the connection was closed')));
    });
    return { outgoing, answer };
  }

  #credentials(): Record<string, string> {
    return this.#key === undefined ? {} : { authorization: `Bearer ${this.#key.text.reveal()}` };
  }

  async #readText(body: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of body as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > limits.clientJsonMax) throw new QuasarError('unexpected_answer', { op: 'cli.request' });
        parts.push(part);
      }
    } catch (cause) {
      throw this.#explain(cause);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  #explain(cause: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (cause instanceof QuasarError) return cause;
    const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    const advice = this.#reached ? '' : ' Start one with "quasar up", or name it with --url or QUASAR_URL.';
    const said = this.#reached ? `The connection to ${this.url.origin} broke` : `No server answers at ${this.url.origin}`;
    return new QuasarError('server_unreachable', {
      op: 'cli.request',
      message: `${said} (${why}).${advice}`,
      details: { reached: this.#reached },
      cause,
    });
  }
}

/** @throws QuasarError `usage` when the text is no address of a server. */
export function parseAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw usage(`"${address}" is no server address; one looks like http://127.0.0.1:8080.`);
  }
  return url;
}

async function endNow(outgoing: http.ClientRequest): Promise<void> {
  outgoing.end();
}

async function sendBody(outgoing: http.ClientRequest, body: ClientBody, answer: Promise<unknown>): Promise<void> {
  let over = false;
  const stop = () => {
    over = true;
  };
  answer.then(stop, stop);
  const whole = wholeOf(body);
  if (whole !== undefined) return endWith(outgoing, whole, answer);
  try {
    for await (const chunk of body.chunks) {
      if (over) return;
      if (chunk.byteLength > 0) await flushed(outgoing, chunk, answer);
    }
  } catch (cause) {
    outgoing.destroy();
    throw cause;
  }
  if (!over) outgoing.end();
}

/** Waits until the socket no longer needs the chunk's memory, or an answer made it pointless. */
async function flushed(outgoing: http.ClientRequest, chunk: Uint8Array, answer: Promise<unknown>): Promise<void> {
  const written = new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()));
  await Promise.race([written, answer.then(nothing, nothing)]);
}

/** The body when it is one small chunk: it goes with the head, in one write. */
function wholeOf({ size, chunks }: ClientBody): Uint8Array | undefined {
  const whole = Array.isArray(chunks) && chunks.length === 1 ? (chunks[0] as Uint8Array) : undefined;
  return whole !== undefined && whole.byteLength === size && size <= limits.putReadSize ? whole : undefined;
}

async function endWith(outgoing: http.ClientRequest, whole: Uint8Array, answer: Promise<unknown>): Promise<void> {
  const written = new Promise<void>((resolve) => outgoing.end(whole, () => resolve()));
  await Promise.race([written, answer.then(nothing, nothing)]);
}

function nothing(): void {}
