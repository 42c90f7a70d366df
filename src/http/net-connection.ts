import type { Socket } from 'node:net';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { AnswerBuffer } from './answer-buffer.ts';
import type { EdgeState } from './base-exchange.ts';
import { type BodyFraming, SizedBody } from './body-framing.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { CappedConnection, ConnectionCap } from './connection-cap.ts';
import { HeadParser } from './head-parser.ts';
import { NetExchange } from './net-exchange.ts';
import { readInto, type SocketReader } from './net-socket.ts';
import type { RequestHead } from './request-guard.ts';

/**
 * One connection: heads and bodies out of its bytes, one request at a time. What comes behind a request that is not
 * answered, or behind a body nobody takes yet, waits in `#held` while the socket is paused, so there is at most one read
 * of it. What comes behind an answer that closes is dropped, within bounds, so that the client gets the answer.
 */
export class NetConnection implements SocketReader, CappedConnection {
  readonly edge: EdgeState;
  readonly socket: Socket;
  readonly #cap: ConnectionCap<NetConnection>;
  readonly #parser = new HeadParser();
  /** The request that has no complete answer. */
  #exchange: NetExchange | undefined;
  /** Of a body that has not come to its end, answered or not. */
  #framing: BodyFraming | undefined;
  #held: Buffer | undefined;
  #isConsuming = false;
  #isReading = true;
  /** The client has closed its sending side, and everything before that was taken. */
  #ended = false;
  /** It has closed it while bytes before that are held. */
  #endWaits = false;
  #closed = false;
  /** No further request is served: bytes are dropped, since the answer under way is the last, or was. */
  #dropping = false;
  #dropped = 0;
  /** The answer is out, and our sending side closed. */
  #lingersUntil = Infinity;
  #heardAt = 0;
  /** When a connection without a request has had its time. */
  #idlesUntil: number;
  #headBegan = false;
  #stallWatched = false;

  constructor(edge: EdgeState, cap: ConnectionCap<NetConnection>, accepted: Socket, sharesBuffer: boolean) {
    this.edge = edge;
    this.#cap = cap;
    this.#idlesUntil = this.#now() + edge.options.rules.idleMs;
    this.socket = readInto(this, accepted, sharesBuffer);
    // The reason of a broken connection; its `close` follows and is what counts.
    this.socket.on('error', ignore);
    this.socket.on('end', () => this.#end());
    this.socket.on('timeout', () => this.cut());
    this.socket.on('close', () => this.#lost());
  }

  get readMax(): number {
    if (this.#dropping) return limits.httpChunkMax;
    if (this.#framing === undefined || this.#exchange?.takesBody !== true) return limits.httpReadAheadMax;
    return Math.min(limits.httpChunkMax, (this.#framing.remaining ?? limits.httpChunkMax) + limits.httpReadAheadMax);
  }

  get holds(): boolean {
    return this.#held !== undefined;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether the system took all it was given; a socket that failed holds nothing either. */
  get hasSent(): boolean {
    const { socket } = this;
    return socket.writableLength === 0 && socket.errored === null && !socket.destroyed;
  }

  /** Waits for a request, of which nothing has come. */
  get isIdle(): boolean {
    return this.#exchange === undefined && this.#framing === undefined && !this.#headBegan && !this.#dropping;
  }

  take(bytes: Buffer): void {
    if (this.#dropping) {
      this.#drop(bytes.byteLength);
      return;
    }
    if (this.#held === undefined) this.#consume(bytes, false);
    else this.#held = Buffer.concat([this.#held, bytes]);
  }

  /** Something was decided for which held bytes, or the socket, may have waited. */
  wake(): void {
    if (this.#isConsuming || this.#closed) return;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.steer();
    else if (this.#dropping) this.#drop(held.byteLength);
    else this.#consume(held, true);
    if (this.#held !== undefined) return;
    if (this.#endWaits) this.#takeEnd();
    else if (this.#ended) this.#endIdle();
  }

  /** The same, when whoever decided has returned. */
  wakeSoon(): void {
    if (this.#held !== undefined || !this.#isReading || this.#ended) queueMicrotask(() => this.wake());
  }

  /** The answer that begins is the last one: nothing that comes is looked at any more. */
  dropRest(): void {
    this.#dropping = true;
    this.#framing = undefined;
  }

  /** Reads from the socket, or not. */
  steer(): void {
    if (this.#closed || this.#ended) return;
    const paused = !this.#dropping && this.#framing !== undefined && this.#exchange?.bodyPaused === true;
    const reads = this.#dropping ? this.#dropped <= this.edge.options.rules.lingerBytesMax : this.#held === undefined && !paused;
    if (reads === this.#isReading) return;
    this.#isReading = reads;
    if (reads) this.socket.resume();
    else this.socket.pause();
  }

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.socket.write(data, 'latin1', this.#onWritten);
    else this.socket.write(data, this.#onWritten);
    this.#watchStall();
  }

  /** In one write; the caller's bytes are free again when this returns. */
  sendJoined(head: string, body: string | Uint8Array, size: number): void {
    answers.send(head, body, size, this.#sendWhole);
  }

  /** In one write, without copying the bytes but where that costs less. */
  sendAround(before: string, bytes: Uint8Array, after: string): void {
    if (before !== '' && after === '' && bytes.byteLength <= limits.httpInlineReplyMax) {
      this.sendJoined(before, bytes, bytes.byteLength);
      return;
    }
    const { socket } = this;
    const isOne = before === '' && after === '';
    if (!isOne) socket.cork();
    if (before !== '') socket.write(before, 'latin1');
    socket.write(bytes, this.#onWritten);
    if (after !== '') socket.write(after, 'latin1', this.#onWritten);
    if (!isOne) socket.uncork();
    this.#watchStall();
  }

  /** The exchange is over, by its answer or without. */
  answered(exchange: NetExchange): void {
    this.#exchange = undefined;
    if (this.#closed || exchange.gone) return;
    if (exchange.closesAfter) {
      this.#linger();
      return;
    }
    this.#idle();
    if (!this.#isConsuming) this.wakeSoon();
  }

  /** Called now and then. */
  check(now: number): void {
    const { lingerSilenceMs } = this.edge.options.rules;
    if (now >= this.#idlesUntil || now >= this.#lingersUntil) this.cut();
    else if (this.#lingersUntil !== Infinity && now - this.#heardAt >= lingerSilenceMs) this.cut();
  }

  cut(resets = this.#exchange?.endsWithConnection === true): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cap.leave(this);
    if (resets) this.socket.resetAndDestroy();
    else this.socket.destroy();
    this.#exchange?.connectionLost();
  }

  readonly #sendWhole = (whole: Buffer) => {
    this.send(whole);
    return this.hasSent;
  };

  readonly #onWritten = (error?: Error | null) => {
    if (error || this.#closed || !this.hasSent) return;
    this.#watchStall();
    this.#exchange?.written();
  };

  /** The socket tells when nothing of what it was given has left it for the time set. */
  #watchStall(): void {
    const waits = !this.hasSent;
    if (waits === this.#stallWatched) return;
    this.#stallWatched = waits;
    this.socket.setTimeout(waits ? this.edge.options.rules.stallMs : 0);
  }

  #consume(bytes: Buffer, isOurs: boolean): void {
    this.#isConsuming = true;
    let at = 0;
    while (at < bytes.byteLength && !this.#dropping && !this.#closed) {
      const next = this.#step(bytes, at);
      if (next === undefined) {
        const rest = bytes.subarray(at);
        this.#held = isOurs ? rest : Buffer.from(rest);
        break;
      }
      at = next;
    }
    this.#isConsuming = false;
    this.steer();
  }

  /** Where to go on, or undefined when the rest must wait. */
  #step(bytes: Buffer, at: number): number | undefined {
    if (this.#framing !== undefined) return this.#stepBody(this.#framing, bytes, at);
    return this.#exchange === undefined ? this.#stepHead(bytes, at) : undefined;
  }

  #stepHead(bytes: Buffer, at: number): number {
    const parser = this.#parser;
    const outcome = parser.feed(bytes, at);
    if (outcome === 'more') {
      if (parser.began && !this.#headBegan) {
        this.#headBegan = true;
        this.#idlesUntil = this.#now() + this.edge.options.rules.idleMs;
      }
      return bytes.byteLength;
    }
    if (outcome === 'fault') {
      this.#begin({ ...NO_HEAD, fault: parser.fault });
      return bytes.byteLength;
    }
    const { head, at: next } = parser;
    parser.reset();
    this.#begin(head);
    return next;
  }

  #begin(head: RequestHead): void {
    this.#headBegan = false;
    this.#idlesUntil = Infinity;
    this.#cap.serves(this);
    const exchange = new NetExchange(this, head);
    this.#exchange = exchange;
    if (exchange.bodySize !== 0) {
      this.#framing = exchange.bodySize === undefined ? new ChunkedBody() : new SizedBody(exchange.bodySize);
    }
    exchange.run();
  }

  #stepBody(framing: BodyFraming, bytes: Buffer, at: number): number | undefined {
    const exchange = this.#exchange;
    if (exchange?.takesBody === false) return undefined;
    switch (framing.step(bytes, at)) {
      case 'data': {
        const { from, to } = framing;
        exchange?.takeBody(from === 0 && to === bytes.byteLength ? bytes : bytes.subarray(from, to));
        if (framing.remaining === 0) this.#endBody(exchange);
        return to;
      }
      case 'end':
        this.#endBody(exchange);
        return framing.to;
      case 'fault':
        if (exchange === undefined) this.#linger();
        else exchange.failBody(framing.fault);
        return bytes.byteLength;
      default:
        return bytes.byteLength;
    }
  }

  #endBody(exchange: NetExchange | undefined): void {
    this.#framing = undefined;
    if (exchange === undefined) this.#idle();
    else exchange.endBody();
  }

  /** Nothing is under way: the next request has its time from now. */
  #idle(): void {
    this.#idlesUntil = this.#now() + this.edge.options.rules.idleMs;
    this.#cap.waits(this);
  }

  /** The last answer is out: says so, and drops what the client still sends until it has heard. */
  #linger(): void {
    const now = this.#now();
    this.dropRest();
    this.#idlesUntil = Infinity;
    this.#lingersUntil = now + this.edge.options.rules.lingerMs;
    this.#heardAt = now;
    this.#cap.waits(this);
    this.socket.end();
    this.wakeSoon();
  }

  #drop(size: number): void {
    this.#heardAt = this.#now();
    this.#dropped += size;
    this.steer();
  }

  /** The client sends no more; where reading falls back to events this may come while what was before it is held. */
  #end(): void {
    if (this.#held === undefined) this.#takeEnd();
    else this.#endWaits = true;
  }

  #takeEnd(): void {
    this.#endWaits = false;
    this.#ended = true;
    if (this.#exchange !== undefined && this.#framing !== undefined) this.cut();
    else this.#endIdle();
  }

  #endIdle(): void {
    if (this.#exchange !== undefined || this.#closed || this.#dropping) return;
    if (this.#headBegan) this.#begin({ ...NO_HEAD, fault: cutHead() });
    else this.#linger();
  }

  #lost(): void {
    this.#closed = true;
    this.#held = undefined;
    this.#cap.leave(this);
    this.#exchange?.connectionLost();
  }

  #now(): number {
    return this.edge.options.clock.monotonic();
  }
}

function cutHead(): QuasarError {
  return new QuasarError('bad_request', { op: 'http.parseHead', message: 'The request ended within its head.' });
}

const NO_HEAD: RequestHead = { version: '', method: '', path: '', query: '', headers: [] };

/** Of all connections: it is free again when a write returns. */
const answers = new AnswerBuffer();

const ignore = () => undefined;
