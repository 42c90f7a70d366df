import type { IncomingMessage, ServerResponse } from 'node:http';
import { assert } from '../core/assert.ts';
import { assertHeaders, BaseExchange, type EdgeState, goneError } from './base-exchange.ts';
import type { BodyConsumer } from './edge.ts';
import { utf8 } from './field-line.ts';
import type { NodeHttpConnection } from './node-http-connection.ts';
import { readTarget } from './request-target.ts';

/** One exchange on node:http. */
export class NodeHttpExchange extends BaseExchange {
  readonly remoteAddress: string;
  readonly #connection: NodeHttpConnection;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #bodyPaused = false;
  /** Undefined: chunked. */
  #size: number | undefined = 0;
  #rejectWrite: ((error: Error) => void) | undefined;

  constructor(edge: EdgeState, connection: NodeHttpConnection, request: IncomingMessage, response: ServerResponse) {
    super(edge, {
      version: request.httpVersion,
      method: request.method ?? '',
      ...readTarget(request.url ?? ''),
      headers: headersOf(request),
    });
    this.remoteAddress = request.socket.remoteAddress ?? '';
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
    connection.serves(this);
    if (this.endsConnection) connection.closing = true;
    // The reason of a broken connection; its `close` follows and is what counts.
    request.on('error', ignore);
    response.on('error', ignore);
  }

  readBody(consumer: BodyConsumer): void {
    assert(this.consumer === undefined, 'a body is read once');
    if (this.closed) {
      queueMicrotask(() => consumer.gone());
      return;
    }
    this.consumer = consumer;
    if (this.takeExpectation()) this.#response.writeContinue();
    this.#request.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#request.on('end', () => this.#onEnd());
  }

  pauseBody(): void {
    if (this.#bodyPaused || this.closed || this.bodyEnded) return;
    this.#bodyPaused = true;
    this.#request.pause();
  }

  resumeBody(): void {
    if (!this.#bodyPaused || this.closed) return;
    this.#bodyPaused = false;
    this.#request.resume();
  }

  reply(status: number, headers: readonly string[], body: string | Uint8Array = ''): void {
    if (this.closed) return;
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this.#writeHead(status, headers, size);
    if (this.method === 'HEAD' || status === 204 || status === 304 || size === 0) {
      this.#end();
      return;
    }
    this.sent.bytes = size;
    // The socket keeps a reference to what it could not send at once, and the caller may reuse its bytes.
    this.#response.end(typeof body === 'string' ? body : Buffer.from(body), () => this.finish());
  }

  start(status: number, headers: readonly string[], size: number | undefined): void {
    if (this.closed) return;
    this.#writeHead(status, headers, size);
    this.#size = size;
    if (size === 0 || this.method === 'HEAD') this.#end();
  }

  write(bytes: Uint8Array): true | Promise<true> {
    if (this.gone) return Promise.reject(goneError());
    if (this.closed || this.method === 'HEAD' || bytes.byteLength === 0) return true;
    assert(this.sent.status !== 0 && this.#rejectWrite === undefined, 'write follows start, and one write the other');
    assert(this.sent.bytes + bytes.byteLength <= (this.#size ?? Infinity), 'an answer is as long as its head said');
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      this.#request.socket.setTimeout(this.edge.options.rules.stallMs);
      this.#response.write(bytes, (error) => {
        if (this.#rejectWrite === undefined) return;
        this.#rejectWrite = undefined;
        if (error) {
          reject(goneError());
          return;
        }
        this.#request.socket.setTimeout(0);
        this.sent.bytes += bytes.byteLength;
        if (this.sent.bytes === this.#size) this.#end();
        resolve(true);
      });
    });
  }

  end(): void {
    if (this.closed || this.method === 'HEAD') return;
    assert(this.sent.status !== 0 && this.#size === undefined, 'an answer with a size ends by itself');
    assert(this.#rejectWrite === undefined, 'an answer ends behind its last write');
    this.#end();
  }

  destroy(): void {
    if (this.closed) return;
    this.#lost(false);
    // Where only the end of the connection says where an answer ends, a cut one would look whole.
    if (this.isOld && this.#size === undefined) this.#request.socket.resetAndDestroy();
    else this.#request.socket.destroy();
  }

  /** Whether the parser has seen the end of the body, read or not. */
  get hasWholeBody(): boolean {
    return this.#request.complete;
  }

  failBody(why: string): void {
    this.breakBody(why);
  }

  /** The connection was lost. */
  connectionClosed(): void {
    this.#lost(true);
  }

  protected released(): void {
    // What is left of the body is dropped, and has its time; node resets this when the connection serves on.
    if (!this.gone && !this.hasWholeBody) this.#request.socket.setTimeout(this.edge.options.rules.idleMs);
    this.#connection.answered(this);
  }

  #writeHead(status: number, headers: readonly string[], size: number | undefined): void {
    assert(this.sent.status === 0, 'an exchange is answered once');
    assertHeaders(headers);
    this.sent.status = status;
    const all = ['X-Request-Id', this.requestId, ...headers];
    if (status !== 204 && status !== 304 && size !== undefined) all.push('Content-Length', String(size));
    if (this.mustClose) {
      all.push('Connection', 'close');
      this.#connection.closing = true;
    }
    this.#response.writeHead(status, all);
    this.dismissReader();
    if (!this.bodyEnded) this.#request.resume();
  }

  #end(): void {
    this.#response.end(() => this.finish());
  }

  #lost(byClient: boolean): void {
    if (this.closed) return;
    // Everything was handed over; the close belongs to a connection that ends after its answer.
    if (this.#response.writableFinished) {
      this.finish();
      return;
    }
    const reject = this.#rejectWrite;
    this.#rejectWrite = undefined;
    this.lose(byClient);
    reject?.(goneError());
  }

  #onData(chunk: Buffer): void {
    if (this.closed || this.consumer === undefined) return;
    this.bodyReceived += chunk.byteLength;
    this.feed(chunk);
  }

  #onEnd(): void {
    this.bodyEnded = true;
    if (!this.closed) this.feedEnd();
  }
}

/** Flat, lower-case, values as UTF-8 (node:http hands them over as Latin-1). */
function headersOf(request: IncomingMessage): readonly string[] {
  const raw = request.rawHeaders;
  const headers = new Array<string>(raw.length);
  for (let at = 0; at < raw.length; at += 2) {
    headers[at] = (raw[at] as string).toLowerCase();
    headers[at + 1] = utf8(raw[at + 1] as string);
  }
  return headers;
}

const ignore = () => undefined;
