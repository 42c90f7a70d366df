import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';
import { assertHeaders, BaseExchange, type EdgeState, goneError } from './base-exchange.ts';
import type { BodyConsumer } from './edge.ts';
import type { RequestHead } from './request-guard.ts';

/**
 * One exchange on uWebSockets.js. What the library demands, all of it learned by measuring (docs/adr/0002-http-edge.md):
 * - a response may not be touched after its end or abort, so every use is behind `closed`;
 * - a handler that returns unanswered must have attached an abort handler, else the process ends;
 * - chunk memory is taken back when `onData` returns;
 * - it parses on through what it has read, also behind an answer that closes the connection, but drops a connection on
 *   which a request follows an unanswered one: so answers that close wait until the parser is done;
 * - `end(body)` writes Content-Length itself; HEAD needs a written one and `endWithoutBody()` without arguments;
 * - it cuts a connection on which fewer than 16 KB/s arrive, or nothing leaves for 10 s; `pause` and `resume` start that
 *   clock afresh, so that the rules for slow clients are ours (`keepAlive`);
 * - `tryEnd` copies nothing it could not send: the rest is offered again at the offset `onWritable` names;
 * - `write` makes the answer chunked and keeps a copy of what it could not send; `onWritable` comes when that is out;
 * - `end` in a chunked answer must not be told to close: it would write that header into the body.
 */
export class UwsExchange extends BaseExchange {
  readonly #slow: Set<UwsExchange>;
  readonly #res: HttpResponse;
  /** The library has put the socket into one write by itself while the request callback runs. */
  #corked = true;
  #address: string | undefined;
  #receiving = false;
  #abortWatched = false;
  #socketPaused = false;
  #bodyPaused = false;
  #held: Uint8Array | undefined;
  #head: readonly string[] | undefined;
  /** Undefined: chunked. */
  #size: number | undefined = 0;
  #pending: PendingWrite | undefined;
  #writableAttached = false;
  #tookAll = false;

  /** `slow` is where exchanges stand that wait for their client; the edge calls `keepAlive` on them now and then. */
  constructor(edge: EdgeState, slow: Set<UwsExchange>, res: HttpResponse, head: RequestHead) {
    super(edge, head);
    this.#slow = slow;
    this.#res = res;
  }

  /**
   * Keeps the library from cutting a slow client. Whoever reads a body has a stall rule of its own; a client that takes
   * nothing of an answer is left to the library after `limits.downloadStallMs`.
   */
  keepAlive(): void {
    if (this.closed || this.#socketPaused) return;
    const receiving = this.consumer !== undefined && !this.bodyEnded;
    if (!receiving && this.#pending === undefined) return;
    if (this.#pending !== undefined) {
      this.#pending.ticks += 1;
      if (this.#pending.ticks * limits.httpKeepAliveMs > limits.downloadStallMs) return;
    }
    this.#res.pause();
    this.#res.resume();
  }

  /** Called at the end of the request callback. */
  returned(): void {
    this.#corked = false;
    if (this.closed) return;
    this.#watch();
    // A paused socket would not tell of a client that goes while an answer is being written.
    if (this.bodyEnded || this.#receiving || this.sent.status !== 0) return;
    this.#receive();
    this.#pauseSocket();
  }

  readBody(consumer: BodyConsumer): void {
    assert(this.consumer === undefined, 'a body is read once');
    if (this.closed) {
      queueMicrotask(() => consumer.gone());
      return;
    }
    this.consumer = consumer;
    if (!this.#receiving && !this.bodyEnded) {
      this.#receive();
      return;
    }
    // Something may have come with the head; the consumer hears of it after it has returned to its loop.
    queueMicrotask(() => this.#deliverHeld());
  }

  pauseBody(): void {
    if (this.#bodyPaused || this.closed || this.bodyEnded) return;
    this.#bodyPaused = true;
    this.#pauseSocket();
  }

  resumeBody(): void {
    if (!this.#bodyPaused || this.closed) return;
    this.#bodyPaused = false;
    this.#deliverHeld();
  }

  reply(status: number, headers: readonly string[], body: string | Uint8Array = ''): void {
    if (this.closed) return;
    assert(this.sent.status === 0, 'an exchange is answered once');
    assertHeaders(headers);
    this.sent.status = status;
    if (this.mustClose) {
      this.dismissReader();
      const kept = typeof body === 'string' ? body : Uint8Array.from(body);
      setImmediate(() => this.#end(() => this.#replyNow(headers, kept)));
      return;
    }
    this.#end(() => this.#replyNow(headers, body));
  }

  start(status: number, headers: readonly string[], size: number | undefined): void {
    if (this.closed) return;
    assert(this.sent.status === 0, 'an exchange is answered once');
    assertHeaders(headers);
    this.sent.status = status;
    this.#size = size;
    this.#head = headers;
    if (size !== 0 && this.method !== 'HEAD') {
      this.#resumeSocket();
      return;
    }
    if (this.mustClose) setImmediate(() => this.#end(() => this.#endEmpty()));
    else this.#end(() => this.#endEmpty());
  }

  write(bytes: Uint8Array): true | Promise<true> {
    if (this.gone) return Promise.reject(goneError());
    if (this.closed || this.method === 'HEAD' || bytes.byteLength === 0) return true;
    assert(this.sent.status !== 0 && this.#pending === undefined, 'write follows start, and one write the other');
    assert(this.sent.bytes + bytes.byteLength <= (this.#size ?? Infinity), 'an answer is as long as its head said');
    const base = this.sent.bytes;
    this.#offer(bytes);
    if (this.#tookAll) {
      this.#count(bytes.byteLength);
      return true;
    }
    return new Promise((resolve, reject) => {
      this.#pending = { bytes, base, resolve, reject, ticks: 0 };
      this.#slow.add(this);
      this.#attachWritable();
    });
  }

  end(): void {
    if (this.closed || this.method === 'HEAD') return;
    assert(this.sent.status !== 0 && this.#size === undefined, 'an answer with a size ends by itself');
    assert(this.#pending === undefined, 'an answer ends behind its last write');
    this.#end(() => {
      this.#sendHead();
      this.#res.end();
    });
  }

  destroy(): void {
    if (this.closed) return;
    const res = this.#res;
    this.#lost(false);
    res.close();
  }

  protected released(): void {
    this.#slow.delete(this);
  }

  #end(send: () => void): void {
    if (this.closed) return;
    this.#resumeSocket();
    if (this.#corked) send();
    else this.#res.cork(send);
    this.finish();
  }

  #replyNow(headers: readonly string[], body: string | Uint8Array): void {
    const { status } = this.sent;
    const res = this.#writeHead(headers);
    if (this.method === 'HEAD' || status === 304 || status === 204) {
      if (this.mustClose) res.writeHeader('Connection', 'close');
      if (status !== 304 && status !== 204) res.writeHeader('Content-Length', String(Buffer.byteLength(body)));
      res.endWithoutBody();
      return;
    }
    res.end(body, this.mustClose);
    this.sent.bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  }

  #endEmpty(): void {
    const res = this.#writeHead(this.#head as readonly string[]);
    if (this.mustClose) res.writeHeader('Connection', 'close');
    if (this.#size !== undefined) res.writeHeader('Content-Length', String(this.#size));
    res.endWithoutBody();
  }

  #writeHead(headers: readonly string[]): HttpResponse {
    const res = this.#res;
    res.writeStatus(statusLine(this.sent.status));
    res.writeHeader('X-Request-Id', this.requestId);
    for (let at = 0; at < headers.length; at += 2) res.writeHeader(headers[at] as string, headers[at + 1] as string);
    return res;
  }

  /** Asked of the socket when somebody wants it: few do, and it costs as much as all the headers. */
  get remoteAddress(): string {
    this.#address ??= this.closed ? '' : Buffer.from(this.#res.getRemoteAddressAsText()).toString('latin1');
    return this.#address;
  }

  /** Sets `#tookAll`: whether the socket needs none of these bytes any more. */
  #offer(bytes: Uint8Array): void {
    if (this.#corked) this.#send(bytes);
    else this.#res.cork(() => this.#send(bytes));
  }

  #send(bytes: Uint8Array): void {
    this.#sendHead();
    if (this.#size === undefined) this.#tookAll = this.#res.write(bytes);
    else this.#tryEnd(bytes, this.#size);
  }

  #sendHead(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#writeHead(head);
    // There is no way to close after `tryEnd` or chunks; a client that is told so closes, and a draining edge cuts the rest.
    if (this.mustClose) this.#res.writeHeader('Connection', 'close');
  }

  #tryEnd(bytes: Uint8Array, size: number): void {
    const [ok, done] = this.#res.tryEnd(bytes, size);
    this.#tookAll = ok || done;
  }

  #attachWritable(): void {
    if (this.#writableAttached) return;
    this.#writableAttached = true;
    this.#watch();
    this.#res.onWritable((offset) => this.#onWritable(offset));
  }

  #onWritable(offset: number): boolean {
    const pending = this.#pending;
    if (pending === undefined || this.closed) return true;
    if (this.#size !== undefined && !this.#offerRest(pending, offset, this.#size)) return false;
    this.#pending = undefined;
    this.#slow.delete(this);
    this.sent.bytes = pending.base;
    this.#count(pending.bytes.byteLength);
    pending.resolve(true);
    return true;
  }

  /** Whether the socket took the rest of the pending write, which begins at `offset` of the answer. */
  #offerRest(pending: PendingWrite, offset: number, size: number): boolean {
    // Part of a block is progress too, for whoever judges slow clients.
    if (offset > this.sent.bytes) pending.ticks = 0;
    this.sent.bytes = offset;
    const rest = pending.bytes.subarray(offset - pending.base);
    if (rest.byteLength === 0) return true;
    this.#tryEnd(rest, size);
    return this.#tookAll;
  }

  #count(size: number): void {
    this.sent.bytes += size;
    if (this.sent.bytes === this.#size) this.finish();
  }

  #watch(): void {
    if (this.#abortWatched) return;
    this.#abortWatched = true;
    this.#res.onAborted(() => this.#lost(true));
  }

  #lost(byClient: boolean): void {
    if (this.closed) return;
    const pending = this.#pending;
    this.#pending = undefined;
    this.#held = undefined;
    this.lose(byClient);
    pending?.reject(goneError());
  }

  #receive(): void {
    this.#receiving = true;
    this.#slow.add(this);
    this.#res.onData((chunk, isLast) => this.#onData(new Uint8Array(chunk), isLast));
  }

  #onData(bytes: Uint8Array, isLast: boolean): void {
    if (this.closed) return;
    this.bodyReceived += bytes.byteLength;
    if (isLast) {
      this.bodyEnded = true;
      this.#slow.delete(this);
    }
    // Answered already: what still comes is nobody's.
    if (this.sent.status !== 0 && this.consumer === undefined) return;
    if (this.consumer === undefined || this.#bodyPaused || this.#held !== undefined) {
      this.#hold(bytes);
      return;
    }
    this.#deliver(bytes);
  }

  #deliver(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength && this.consumer !== undefined; at += limits.httpChunkMax) {
      this.feed(bytes.byteLength <= limits.httpChunkMax ? bytes : bytes.subarray(at, at + limits.httpChunkMax));
    }
    if (this.bodyEnded) this.feedEnd();
  }

  /** Only what was read from the socket before it could be paused. */
  #hold(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#held = this.#held === undefined ? Uint8Array.from(bytes) : Buffer.concat([this.#held, bytes]);
  }

  #deliverHeld(): void {
    if (this.closed || this.consumer === undefined || this.#bodyPaused) return;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#deliver(held);
    else if (this.bodyEnded) this.feedEnd();
    if (!this.#bodyPaused) this.#resumeSocket();
  }

  #pauseSocket(): void {
    if (this.#socketPaused) return;
    this.#socketPaused = true;
    this.#res.pause();
  }

  #resumeSocket(): void {
    if (!this.#socketPaused || this.closed) return;
    this.#socketPaused = false;
    this.#res.resume();
  }
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  /** Offset of the first of these bytes in the answer. */
  readonly base: number;
  readonly resolve: (value: true) => void;
  readonly reject: (error: Error) => void;
  /** How often `keepAlive` found this write waiting. */
  ticks: number;
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
    statusLines.set(status, line);
  }
  return line;
}
