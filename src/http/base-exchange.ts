import { assert } from '../core/assert.ts';
import { QuasarError, toQuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Asker, BodyConsumer, EdgeOptions, Exchange } from './edge.ts';
import { problemOf } from './problem.ts';
import { inspectHead, isWritableHeaderValue, type RequestHead } from './request-guard.ts';
import { clientRequestId } from './request-id.ts';

/** What an edge keeps about all its requests. */
export class EdgeState {
  readonly options: EdgeOptions;
  active = 0;
  /** Set by `stopListening`: answers carry `Connection: close` from then on. */
  draining = false;

  #date = '';
  #dateSecond = 0;

  constructor(options: EdgeOptions) {
    this.options = options;
  }

  /** As the Date header has it; made once a second. */
  date(): string {
    const now = this.options.clock.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = new Date(now).toUTCString();
    }
    return this.#date;
  }
}

/**
 * The part of an exchange that does not depend on the server underneath: the guard, headers, who is told when the client
 * goes, what counts as finished. An exchange is `open` until its answer is out in full or the connection is lost.
 */
export abstract class BaseExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  abstract readonly remoteAddress: string;
  readonly requestId: string;
  readonly bodySize: number | undefined;
  readonly sent = { status: 0, bytes: 0 };
  gone = false;
  failure: QuasarError | undefined;
  route: string | undefined;
  address: string | undefined;
  asker: Asker | undefined;

  protected readonly edge: EdgeState;
  protected consumer: BodyConsumer | undefined;
  protected bodyReceived = 0;
  protected bodyEnded: boolean;
  /** HTTP/1.0: an answer whose size is not said ends with the connection, since there are no chunks. */
  protected readonly isOld: boolean;
  /** The answer is out, or will never be. */
  protected closed = false;
  readonly #headers: readonly string[];
  /** A bit for each length, modulo 32, that a header's name has. */
  readonly #nameLengths: number;
  readonly #headFault: QuasarError | undefined;
  readonly #closes: boolean;
  #expects: boolean;
  readonly #startedAt: number;
  #onGone: (() => void)[] | undefined;

  constructor(edge: EdgeState, head: RequestHead) {
    this.edge = edge;
    this.method = head.method;
    this.path = head.path;
    this.query = head.query;
    this.isOld = head.version === '1.0';
    this.#headers = head.authority === undefined ? head.headers : withHost(head.headers, head.authority);
    this.#nameLengths = nameLengthsOf(this.#headers);
    const verdict = inspectHead(head);
    this.#headFault = verdict.fault;
    this.#closes = verdict.closes;
    this.bodySize = verdict.bodySize;
    this.bodyEnded = verdict.bodySize === 0;
    this.#expects = !this.isOld && verdict.bodySize !== 0 && this.header('expect')?.toLowerCase() === '100-continue';
    this.requestId = clientRequestId(this.header('x-request-id')) ?? edge.options.newRequestId();
    this.#startedAt = edge.options.clock.monotonic();
    edge.active += 1;
  }

  /** Hands the request to the dispatcher, or refuses it. Never throws. */
  run(): void {
    if (this.#headFault !== undefined) {
      this.fail(this.#headFault);
      return;
    }
    try {
      const pending = this.edge.options.dispatch(this);
      if (pending !== undefined) pending.then(undefined, (error: unknown) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  header(name: string): string | undefined {
    // Most names that are asked for are not there, and most of those are as long as none that is.
    if ((this.#nameLengths & (1 << (name.length & 31))) === 0) return undefined;
    const headers = this.#headers;
    let found: string | undefined;
    for (let at = 0; at < headers.length; at += 2) {
      if (headers[at] !== name) continue;
      found = found === undefined ? headers[at + 1] : `${found}, ${headers[at + 1]}`;
    }
    return found;
  }

  headerNames(): readonly string[] {
    return this.#headers.filter((_, at) => at % 2 === 0);
  }

  onGone(callback: () => void): void {
    if (this.closed) return;
    this.#onGone ??= [];
    this.#onGone.push(callback);
  }

  fail(error: unknown): void {
    if (this.closed) return;
    const failure = toQuasarError(error, 'http.dispatch');
    this.failure = failure;
    if (this.sent.status !== 0 || failure.code === 'cancelled') {
      this.destroy();
      return;
    }
    const problem = problemOf(failure, { requestId: this.requestId, instance: this.path });
    this.reply(problem.status, problem.headers, problem.body);
  }

  abstract readBody(consumer: BodyConsumer): void;
  abstract pauseBody(): void;
  abstract resumeBody(): void;
  abstract reply(status: number, headers: readonly string[], body?: string | Uint8Array): void;
  abstract start(status: number, headers: readonly string[], size: number | undefined): void;
  abstract write(bytes: Uint8Array): true | Promise<true>;
  abstract end(): void;
  abstract destroy(): void;

  /** Whether the connection must not serve another request after this one. */
  get mustClose(): boolean {
    return this.endsConnection || this.#leavesTooMuch;
  }

  /** Known from the head alone: no request follows this one, whatever becomes of its body. */
  protected get endsConnection(): boolean {
    return this.edge.draining || this.#closes;
  }

  /**
   * The body is about to be read: true, once, when the client waits to hear that it shall send it (RFC 9110 section
   * 10.1.1). Until then a request may be refused without its body ever being sent.
   */
  protected takeExpectation(): boolean {
    const expects = this.#expects && this.bodyReceived === 0 && !this.closed;
    this.#expects = false;
    return expects;
  }

  get #leavesTooMuch(): boolean {
    if (this.bodySize === undefined || this.bodyEnded) return false;
    // A client that was not told to send its body may send it or not.
    return this.#expects || this.bodySize - this.bodyReceived > limits.httpDiscardMax;
  }

  /** What a consumer throws ends this exchange, not the process: servers call us from callbacks without a net. */
  protected feed(bytes: Uint8Array): void {
    try {
      this.consumer?.chunk(bytes);
    } catch (error) {
      this.fail(error);
    }
  }

  protected feedEnd(): void {
    const { consumer } = this;
    this.consumer = undefined;
    try {
      consumer?.end();
    } catch (error) {
      this.fail(error);
    }
  }

  /** What follows cannot be understood: the body ends here, unread or not, and nothing of it counts as complete. */
  protected breakBody(why: string): void {
    const { consumer } = this;
    const fault = new QuasarError('bad_request', { op: 'http.readBody', message: why });
    this.consumer = undefined;
    if (consumer !== undefined) this.#tell(() => consumer.gone(fault));
    this.fail(fault);
  }

  /** Called once, when nothing more will happen to this exchange. */
  protected abstract released(): void;

  /** An answer was given: who reads the body hears that no more of it comes, but not from within its own call. */
  protected dismissReader(): void {
    const { consumer } = this;
    this.consumer = undefined;
    if (consumer !== undefined && !this.bodyEnded) queueMicrotask(() => this.#tell(() => consumer.gone()));
  }

  /** The answer is out in full. */
  protected finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.dismissReader();
    this.#report();
  }

  /** The connection is lost, by the client or by us. */
  protected lose(byClient: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.gone = true;
    const { consumer } = this;
    this.consumer = undefined;
    if (consumer !== undefined && !this.bodyEnded) this.#tell(() => consumer.gone());
    if (byClient) for (const callback of this.#onGone ?? []) this.#tell(callback);
    this.#report();
  }

  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.failure ??= toQuasarError(error, 'http.gone');
    }
  }

  #report(): void {
    this.released();
    this.#onGone = undefined;
    this.edge.active -= 1;
    this.edge.options.onFinished(this, this.edge.options.clock.monotonic() - this.#startedAt);
  }
}

function nameLengthsOf(headers: readonly string[]): number {
  let lengths = 0;
  for (let at = 0; at < headers.length; at += 2) lengths |= 1 << ((headers[at] as string).length & 31);
  return lengths;
}

function withHost(headers: readonly string[], authority: string): readonly string[] {
  const others = headers.filter((_, at) => headers[at - (at % 2)] !== 'host');
  return [...others, 'host', authority];
}

export function assertHeaders(headers: readonly string[]): void {
  for (let at = 1; at < headers.length; at += 2) {
    assert(isWritableHeaderValue(headers[at] as string), 'a header value is printable ASCII');
  }
}

export function goneError(): QuasarError {
  return new QuasarError('cancelled', { op: 'http.write', message: 'The client has gone.' });
}
