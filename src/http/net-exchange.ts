import { assert } from '../core/assert.ts';
import { assertHeaders, BaseExchange, goneError } from './base-exchange.ts';
import type { BodyConsumer } from './edge.ts';
import type { NetConnection } from './net-connection.ts';
import type { RequestHead } from './request-guard.ts';
import { statusLine } from './status-line.ts';

/** One exchange on a connection of ours. The connection finds its body and calls in; answers go straight to the socket. */
export class NetExchange extends BaseExchange {
  readonly #connection: NetConnection;
  #bodyPaused = false;
  /** Of an answer that was started, until its first bytes. */
  #head: string | undefined;
  /** Undefined: as many as come. */
  #size: number | undefined = 0;
  #pending:
    | { readonly resolve: (value: true) => void; readonly reject: (error: Error) => void; readonly size: number }
    | undefined;
  /** All of the answer is with the socket. */
  #complete = false;
  #closesAfter = false;

  constructor(connection: NetConnection, head: RequestHead) {
    super(connection.edge, head);
    this.#connection = connection;
  }

  get remoteAddress(): string {
    return this.#connection.socket.remoteAddress ?? '';
  }

  /** The answer says that it is the last one. */
  get closesAfter(): boolean {
    return this.#closesAfter;
  }

  get bodyPaused(): boolean {
    return this.#bodyPaused;
  }

  /** Whether bytes of the body have a taker; of one that was answered they are dropped. */
  get takesBody(): boolean {
    return this.consumer === undefined ? this.sent.status !== 0 : !this.#bodyPaused;
  }

  /** Only the end of the connection says where the answer ends: cut, it would look whole. */
  get endsWithConnection(): boolean {
    return this.sent.status !== 0 && this.#size === undefined && this.isOld;
  }

  takeBody(bytes: Uint8Array): void {
    this.bodyReceived += bytes.byteLength;
    this.feed(bytes);
  }

  endBody(): void {
    this.bodyEnded = true;
    this.feedEnd();
  }

  failBody(why: string): void {
    this.breakBody(why);
  }

  readBody(consumer: BodyConsumer): void {
    assert(this.consumer === undefined, 'a body is read once');
    if (this.closed) {
      queueMicrotask(() => consumer.gone());
      return;
    }
    this.consumer = consumer;
    if (this.bodyEnded) {
      queueMicrotask(() => this.feedEnd());
      return;
    }
    if (this.takeExpectation()) this.#connection.socket.write(CONTINUE, 'latin1');
    // The consumer hears of what waits after its caller has returned.
    if (this.#connection.holds) queueMicrotask(() => this.#connection.wake());
  }

  pauseBody(): void {
    if (this.#bodyPaused || this.closed || this.bodyEnded) return;
    this.#bodyPaused = true;
    this.#connection.steer();
  }

  resumeBody(): void {
    if (!this.#bodyPaused || this.closed) return;
    this.#bodyPaused = false;
    this.#connection.wake();
  }

  reply(status: number, headers: readonly string[], body: string | Uint8Array = ''): void {
    if (this.closed) return;
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    const head = this.#begin(status, headers, size);
    this.#complete = true;
    if (size === 0 || this.#isBodiless(status)) this.#connection.send(head);
    else {
      this.sent.bytes = size;
      if (typeof body === 'string' && body.length === size) this.#connection.send(head + body);
      else this.#connection.sendJoined(head, body, size);
    }
    this.#finishWhenSent();
  }

  start(status: number, headers: readonly string[], size: number | undefined): void {
    if (this.closed) return;
    this.#size = size;
    this.#head = this.#begin(status, headers, size);
    if (size !== 0 && this.method !== 'HEAD') return;
    this.#complete = true;
    this.#connection.send(this.#takeHead());
    this.#finishWhenSent();
  }

  write(bytes: Uint8Array): true | Promise<true> {
    if (this.gone) return Promise.reject(goneError());
    if (this.closed || this.method === 'HEAD' || bytes.byteLength === 0) return true;
    assert(this.sent.status !== 0 && this.#pending === undefined, 'write follows start, and one write the other');
    assert(this.sent.bytes + bytes.byteLength <= (this.#size ?? Infinity), 'an answer is as long as its head said');
    const isChunk = this.#size === undefined && !this.isOld;
    const before = isChunk ? `${this.#takeHead()}${bytes.byteLength.toString(16)}\r\n` : this.#takeHead();
    this.#connection.sendAround(before, bytes, isChunk ? '\r\n' : '');
    if (this.#connection.hasSent) {
      this.#count(bytes.byteLength);
      return true;
    }
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, size: bytes.byteLength };
    });
  }

  end(): void {
    if (this.closed || this.method === 'HEAD') return;
    assert(this.sent.status !== 0 && this.#size === undefined, 'an answer with a size ends by itself');
    assert(this.#pending === undefined, 'an answer ends behind its last write');
    this.#complete = true;
    const rest = this.isOld ? this.#takeHead() : `${this.#takeHead()}0\r\n\r\n`;
    if (rest !== '') this.#connection.send(rest);
    this.#finishWhenSent();
  }

  destroy(): void {
    if (this.closed) return;
    const resets = this.endsWithConnection;
    this.#lost(false);
    this.#connection.cut(resets);
  }

  /** The socket took everything that was given to it. */
  written(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) {
      this.#count(pending.size);
      pending.resolve(true);
    } else if (this.#complete) this.finish();
  }

  connectionLost(): void {
    this.#lost(true);
  }

  protected released(): void {
    this.#connection.answered(this);
  }

  #begin(status: number, headers: readonly string[], size: number | undefined): string {
    assert(this.sent.status === 0, 'an exchange is answered once');
    assertHeaders(headers);
    this.sent.status = status;
    this.#closesAfter = this.mustClose || this.#connection.hasEnded;
    this.dismissReader();
    let text = `${statusLine(status)}Date: ${this.#connection.edge.date()}\r\nX-Request-Id: ${this.requestId}\r\n`;
    for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
    if (size !== undefined && status !== 204 && status !== 304) text += `Content-Length: ${size}\r\n`;
    else if (size === undefined && !this.isOld) text += 'Transfer-Encoding: chunked\r\n';
    text += this.#closesAfter ? 'Connection: close\r\n\r\n' : '\r\n';
    // What is left of the body is dropped from now on.
    if (this.#closesAfter) this.#connection.dropRest();
    this.#connection.wakeSoon();
    return text;
  }

  #isBodiless(status: number): boolean {
    return this.method === 'HEAD' || status === 204 || status === 304;
  }

  #takeHead(): string {
    const head = this.#head ?? '';
    this.#head = undefined;
    return head;
  }

  #finishWhenSent(): void {
    if (this.#connection.hasSent) this.finish();
  }

  #count(size: number): void {
    this.sent.bytes += size;
    if (this.sent.bytes === this.#size) this.finish();
  }

  #lost(byClient: boolean): void {
    if (this.closed) return;
    const pending = this.#pending;
    this.#pending = undefined;
    this.lose(byClient);
    pending?.reject(goneError());
  }
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
