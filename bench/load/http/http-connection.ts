import { connect as connectNet, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../../src/core/clock.ts';
import { type AnswerHead, AnswerParser, type AnswerSink } from './answer-parser.ts';
import { ConnectionFault, toConnectionFault } from './connection-fault.ts';
import { Pace } from './pace.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** A request as it goes over the wire. */
export interface WireRequest {
  /** From the request line to the empty line. */
  readonly head: string;
  /** False for HEAD, whose answers have lengths without bodies. */
  readonly isAnsweredWithBody: boolean;
  readonly body?: WireBody;
  /** Cuts the connection when so many bytes of the request's body are sent, or of the answer's have come. */
  readonly cutAfter?: number;
}

export interface WireBody {
  readonly size: number;
  /** Writes the bytes from `offset` on into `target[0, size)`; called once for each byte, in order. */
  fill(target: Buffer, offset: number, size: number): void;
}

export interface ConnectionOptions {
  readonly target: Target;
  /** Of a slow client. */
  readonly bytesPerSecond: number | undefined;
  /** All connections of a process read into one buffer: what is read is looked at before anything else is read. */
  readonly readBuffer: Buffer;
  /** Told bytes of bodies, heads and all that is read, when they moved. */
  readonly onMoved: (sent: number, received: number) => void;
}

const PIECE = 256 * 1024;
/** A slow client sends and reads little at once, so that the kernel's buffers do not hide how slow it is. */
export const SLOW_PIECE = 16 * 1024;

/** One connection, kept alive between requests and opened again when it was closed. One request at a time. */
export class HttpConnection {
  readonly #options: ConnectionOptions;
  readonly #parser = new AnswerParser();
  readonly #sendPace: Pace | undefined;
  readonly #readPace: Pace | undefined;
  readonly #pieceMax: number;
  #socket: Socket | undefined;
  #piece = Buffer.alloc(0);
  #exchange: Exchange | undefined;
  #movedAt = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { bytesPerSecond } = options;
    this.#sendPace = bytesPerSecond === undefined ? undefined : new Pace(bytesPerSecond);
    this.#readPace = bytesPerSecond === undefined ? undefined : new Pace(bytesPerSecond);
    this.#pieceMax = bytesPerSecond === undefined ? PIECE : SLOW_PIECE;
  }

  get isSlow(): boolean {
    return this.#sendPace !== undefined;
  }

  /** Since when nothing moved in a request under way, on the monotonic clock; undefined when there is none. */
  get silentSince(): number | undefined {
    return this.#exchange === undefined ? undefined : this.#movedAt;
  }

  /**
   * Sends a request and resolves when the answer has been read to its end, told piece by piece to `sink`. An answer that
   * comes before the body is sent ends the sending. @throws ConnectionFault; the next request opens a new connection.
   */
  exchange(request: WireRequest, sink: AnswerSink): Promise<AnswerHead> {
    return new Promise((resolve, reject) => {
      const exchange: Exchange = { request, resolve, reject, head: undefined, taken: 0, sent: 0, received: 0 };
      this.#exchange = exchange;
      this.#movedAt = systemClock.monotonic();
      this.#parser.begin(this.#listen(exchange, sink), request.isAnsweredWithBody);
      this.#socket ??= this.#connect();
      this.#send(this.#socket, exchange);
    });
  }

  /** Ends what is under way with this fault, and the connection. */
  break(fault: ConnectionFault): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
    exchange?.reject(fault);
  }

  #connect(): Socket {
    const { target, readBuffer } = this.#options;
    const { host, port } = target;
    const buffer = this.isSlow ? readBuffer.subarray(0, SLOW_PIECE) : readBuffer;
    const take = (size: number, bytes: Uint8Array) => this.#take(socket, bytes as Buffer, size);
    const socket: Socket = target.tls
      ? connectTls({ host, port, servername: host })
      : connectNet({ host, port, noDelay: true, onread: { buffer, callback: take } });
    if (target.tls) {
      socket.setNoDelay(true);
      socket.on('data', (bytes: Buffer) => {
        if (!take(bytes.length, bytes)) socket.pause();
      });
    }
    const broken = (error: unknown) => {
      if (this.#socket === socket) this.break(toConnectionFault(error));
    };
    socket.on('error', broken);
    // The server may end a connection between two requests; that is no fault of a request.
    socket.on('end', () => this.#endOf(socket));
    socket.on('close', () => broken(new ConnectionFault('reset', 'the connection was closed')));
    return socket;
  }

  #endOf(socket: Socket): void {
    if (this.#socket !== socket) return;
    try {
      this.#parser.end();
      this.#settle();
      this.break(new ConnectionFault('reset'));
    } catch (fault) {
      this.break(toConnectionFault(fault));
    }
  }

  #listen(exchange: Exchange, sink: AnswerSink): AnswerSink {
    return {
      onHead: (head) => {
        exchange.head = head;
        sink.onHead(head);
      },
      onBody: (bytes, start, end) => {
        exchange.received += end - start;
        sink.onBody(bytes, start, end);
      },
    };
  }

  #send(socket: Socket, exchange: Exchange): void {
    const { head, body } = exchange.request;
    if (body === undefined || body.size === 0) {
      socket.write(head, 'latin1');
      return;
    }
    socket.cork();
    socket.write(head, 'latin1');
    this.#sendPiece(socket, exchange, body);
    socket.uncork();
  }

  #sendPiece(socket: Socket, exchange: Exchange, body: WireBody): void {
    const end = Math.min(body.size, exchange.request.cutAfter ?? body.size);
    const size = Math.min(this.#pieceMax, end - exchange.taken);
    if (this.#piece.length < size) this.#piece = Buffer.allocUnsafeSlow(size);
    const piece = this.#piece.subarray(0, size);
    body.fill(piece, exchange.taken, size);
    exchange.taken += size;
    socket.write(piece, () => {
      if (this.#exchange !== exchange) return;
      const now = systemClock.monotonic();
      exchange.sent += size;
      this.#movedAt = now;
      this.#options.onMoved(size, 0);
      if (exchange.sent < body.size && exchange.sent === end) this.break(new ConnectionFault('cut'));
      else if (exchange.sent === body.size) this.#settle();
      else this.#sendLater(this.#sendPace?.moved(size, now) ?? 0, socket, exchange, body);
    });
  }

  #sendLater(waitMs: number, socket: Socket, exchange: Exchange, body: WireBody): void {
    const send = () => {
      if (this.#exchange === exchange) this.#sendPiece(socket, exchange, body);
    };
    // Not at once: an answer that came early, a refusal say, must be read before a broken connection hides it.
    if (waitMs < 1) setImmediate(send);
    else setTimeout(send, waitMs);
  }

  /** Returns false to read no further for now. */
  #take(socket: Socket, bytes: Buffer, size: number): boolean {
    if (this.#socket !== socket) return true;
    const now = systemClock.monotonic();
    this.#movedAt = now;
    this.#options.onMoved(0, size);
    try {
      this.#parser.take(bytes, size);
    } catch (fault) {
      this.break(toConnectionFault(fault));
      return true;
    }
    if (this.#isToBeCut()) this.break(new ConnectionFault('cut'));
    else this.#settle();
    const waitMs = this.#readPace?.moved(size, now) ?? 0;
    if (waitMs < 1) return true;
    setTimeout(() => socket.resume(), waitMs);
    return false;
  }

  /** Also when the rest has come with it: the connection ends as it would if the client had gone away. */
  #isToBeCut(): boolean {
    if (this.#exchange === undefined) return false;
    const { request, received } = this.#exchange;
    return request.body === undefined && request.cutAfter !== undefined && received >= request.cutAfter;
  }

  /** Resolves when the answer is whole and the piece in the kernel's hands is ours again. */
  #settle(): void {
    const exchange = this.#exchange;
    if (exchange?.head === undefined || this.#parser.isReading) return;
    const size = exchange.request.body?.size ?? 0;
    const isEarly = exchange.taken < size;
    if (!isEarly && exchange.sent < size) return;
    this.#exchange = undefined;
    if (isEarly || !this.#parser.keepsAlive) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    exchange.resolve(exchange.head);
  }
}

interface Exchange {
  readonly request: WireRequest;
  readonly resolve: (head: AnswerHead) => void;
  readonly reject: (fault: ConnectionFault) => void;
  head: AnswerHead | undefined;
  /** Bytes of the body that were handed to the socket. */
  taken: number;
  /** Those of them that it no longer needs. */
  sent: number;
  /** Bytes of the answer's body. */
  received: number;
}
