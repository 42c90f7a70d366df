import type { Socket } from 'node:net';
import { QuasarError } from '../core/errors.ts';
import type { EdgeState } from './base-exchange.ts';
import type { CappedConnection, ConnectionCap } from './connection-cap.ts';
import type { NodeHttpExchange } from './node-http-exchange.ts';
import { rawProblem } from './refuse-connection.ts';

/** What exchanges on one connection of node:http share, and what becomes of it when they are over. */
export class NodeHttpConnection implements CappedConnection {
  /** Set by the first request after which no other may be served. */
  closing = false;
  readonly #edge: EdgeState;
  readonly #cap: ConnectionCap<NodeHttpConnection>;
  readonly #socket: Socket;
  /** Those without a complete answer. A pipelined one has no event of its own when the connection is lost. */
  readonly #open = new Set<NodeHttpExchange>();
  #lingers: NodeJS.Timeout | undefined;
  /** What came behind the open ones is no request. */
  #fault: QuasarError | undefined;

  constructor(edge: EdgeState, cap: ConnectionCap<NodeHttpConnection>, socket: Socket) {
    this.#edge = edge;
    this.#cap = cap;
    this.#socket = socket;
    // Called by node:http behind the last answer, to close the socket at once: the client would lose the answer if it
    // still sends.
    socket.destroySoon = () => this.#linger();
    socket.once('close', () => {
      clearInterval(this.#lingers);
      cap.leave(this);
      this.loseAll();
    });
  }

  get isIdle(): boolean {
    return this.#open.size === 0 && this.#lingers === undefined;
  }

  serves(exchange: NodeHttpExchange): void {
    this.#open.add(exchange);
    this.#cap.serves(this);
  }

  answered(exchange: NodeHttpExchange): void {
    this.#open.delete(exchange);
    if (this.#open.size > 0) return;
    this.#cap.waits(this);
    if (this.#fault !== undefined) this.#refuse(this.#fault);
  }

  /** The parser of node:http can make nothing of what came. */
  fail(error: Error & { code?: string }): void {
    if (this.#lingers !== undefined || this.#fault !== undefined) return;
    if (error.code?.startsWith('HPE_') !== true) {
      this.cut();
      return;
    }
    this.closing = true;
    const reading = [...this.#open].find(({ hasWholeBody }) => !hasWholeBody);
    const fault = faultOf(error.code);
    if (reading === undefined && this.#open.size > 0) this.#fault = fault;
    else if (reading === undefined) this.#refuse(fault);
    else if (error.code === EOF) this.cut();
    else reading.failBody('The body is not chunked as it must be.');
  }

  loseAll(): void {
    for (const exchange of this.#open) exchange.connectionClosed();
  }

  cut(): void {
    this.#socket.destroy();
  }

  #refuse(fault: QuasarError): void {
    this.closing = true;
    this.#socket.write(rawProblem(fault, this.#edge), 'latin1');
    this.#linger();
  }

  /** Closes our side, and lets the client finish for a while: what it sends is dropped. */
  #linger(): void {
    const { clock, rules } = this.#edge.options;
    const socket = this.#socket;
    if (this.#lingers !== undefined) return;
    socket.end();
    socket.setTimeout(0);
    socket.resume();
    const before = socket.bytesRead;
    const until = clock.monotonic() + rules.lingerMs;
    let heard = before;
    let heardAt = clock.monotonic();
    this.#lingers = setInterval(
      () => {
        const now = clock.monotonic();
        if (socket.bytesRead > heard) heardAt = now;
        heard = socket.bytesRead;
        if (now >= until || now - heardAt >= rules.lingerSilenceMs || heard - before > rules.lingerBytesMax) socket.destroy();
      },
      Math.min(LINGER_CHECK_MS, rules.lingerSilenceMs / 4),
    );
    this.#lingers.unref();
  }
}

function faultOf(code: string): QuasarError {
  if (code === 'HPE_HEADER_OVERFLOW') return new QuasarError('headers_too_large', { op: 'http.parseHead' });
  return new QuasarError('bad_request', { op: 'http.parseHead', details: { parser: code } });
}

const EOF = 'HPE_INVALID_EOF_STATE';
const LINGER_CHECK_MS = 250;
