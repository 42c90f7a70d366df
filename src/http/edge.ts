import type { Confirm } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import type { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/**
 * The port between HTTP servers and the rest: one request and its answer at a time, bytes borrowed, never buffered
 * without bound. Two adapters implement it, `net-edge.ts` and `node-http-edge.ts`; one contract suite holds both.
 *
 * Invariants an adapter guarantees:
 * - `http/request-guard.ts` has accepted the head before a handler sees it (framing, Host, names, path, sizes);
 * - header names are lower case, values trimmed; a header sent several times is joined with ", " (RFC 9110 5.3);
 * - body chunks come in order, are at most `limits.httpChunkMax` bytes, and are borrowed until `chunk` returns;
 * - after `pauseBody` no chunk arrives until `resumeBody`; `end` may;
 * - exactly one of `end` and `gone` is called per body that is read (`gone` too when the answer goes out before the end);
 *   `onGone` callbacks run at most once, and never after the answer is out;
 * - while a body is paused a client that vanishes may go unnoticed: whoever pauses for long keeps a timer;
 * - no method throws when the client has gone; answers then go nowhere and `write` rejects `cancelled`;
 * - a body that breaks off, or whose framing is wrong anywhere up to its last byte, never reaches `end`;
 * - a client that waits for `100 Continue` gets it when its body is read, and not before;
 * - a request whose body was not read to its end is answered with `Connection: close`, unless no more than
 *   `limits.httpDiscardMax` bytes are left, which are discarded; every chunked request is answered with `Connection: close`;
 * - whoever still sends while such an answer is on its way gets it: the sending side is closed, and what comes is dropped
 *   for a bounded time and size before the connection is cut;
 * - a client may close its sending side behind a whole request and gets its answer all the same;
 * - no idle time runs from the end of a request to its answer;
 * - HEAD: the handler answers as for GET; the adapter keeps the body back and sends the same Content-Length;
 * - an answer whose size was not said goes out chunked, and only `end` sends the last chunk; to HTTP/1.0 it ends with the
 *   connection, and is reset when it breaks off.
 */
export interface Exchange {
  readonly method: string;
  /** Raw path, as sent; the router decodes segments. */
  readonly path: string;
  /** Raw query string without "?", or "". */
  readonly query: string;
  /** Of the peer; "" when asked for the first time after the answer is out. */
  readonly remoteAddress: string;
  /** Request id: the client's `x-request-id` when it is well-formed, else ours. Echoed on every answer. */
  readonly requestId: string;
  /** Declared size of the body in bytes; 0 when there is none; undefined when it is chunked. */
  readonly bodySize: number | undefined;
  readonly gone: boolean;
  /** The pattern that matched, for log and metrics. Set by the router. */
  route: string | undefined;
  /** Decides again all that was allowed so far, for when the body is in: it may have taken its time. Set by the gate. */
  confirm?: Confirm | undefined;
  /** Of the client, as far as proxies can be believed. Set before the request is handed on. */
  address: string | undefined;
  /** Who asks, for the log. Set by the gate. */
  asker: Asker | undefined;

  header(name: string): string | undefined;

  /** In the order they came; one that was sent several times is there as often. */
  headerNames(): readonly string[];

  /**
   * Starts delivery; call at most once. Until then the body waits: the socket is paused, and of what came with the head
   * at most one chunk is kept. Calling it before the handler's first await saves that copy and the pause.
   */
  readBody(consumer: BodyConsumer): void;
  pauseBody(): void;
  resumeBody(): void;

  /** Calls back when the client goes away before the answer is complete. */
  onGone(callback: () => void): void;

  /**
   * Sends a whole answer. `body` is borrowed until the call returns and may be copied by the socket, so it should be
   * small (`limits.httpInlineReplyMax`).
   * Content-Length and `x-request-id` are added here; `headers` is a flat list: name, value, name, value.
   */
  reply(status: number, headers: readonly string[], body?: string | Uint8Array): void;

  /**
   * Sends the head of an answer of exactly `size` bytes; `write` must then deliver all of them, or `destroy` be called.
   * Without a size as many as are written until `end`.
   */
  start(status: number, headers: readonly string[], size: number | undefined): void;

  /**
   * Hands bytes to the socket and resolves when they may be reused. Borrowed until it settles.
   * True at once (no promise) when the socket took everything.
   * @throws (rejects) QuasarError `cancelled` when the client is gone.
   */
  write(bytes: Uint8Array): true | Promise<true>;

  /** Says that an answer without a size is complete, once its last write has settled. */
  end(): void;

  /** Cuts the connection: an answer that cannot be completed must not look complete. */
  destroy(): void;

  /** Ends the exchange after an error: a problem answer (`problem.ts`), or `destroy` when an answer has begun. */
  fail(error: unknown): void;

  /** What `fail` was called with, for the log. */
  readonly failure: QuasarError | undefined;

  /** What went out so far, for the log: status 0 until an answer began. */
  readonly sent: { readonly status: number; readonly bytes: number };
}

/** As lines of the log name it. */
export interface Asker {
  readonly principalId: string;
  readonly credentialId: string;
}

export interface BodyConsumer {
  chunk(bytes: Uint8Array): void;
  end(): void;
  /** The client vanished before the body's end, or, with a `fault`, what it sent is no body. */
  gone(fault?: QuasarError): void;
}

/** Handles one request. A rejected promise or a throw ends in `Exchange.fail`. */
export type Dispatch = (exchange: Exchange) => void | Promise<void>;

export interface Edge {
  /** `net` or `node:http`. */
  readonly name: string;
  readonly port: number;
  readonly host: string;
  /** Requests that have not been answered in full. */
  readonly active: number;
  /** Takes no new connections; keep-alive connections are closed after their current answer. */
  stopListening(): void;
  /** Cuts what is left. Idempotent. */
  close(): Promise<void>;
}

export interface EdgeOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly dispatch: Dispatch;
  /** Makes a request id when the client sent none. */
  readonly newRequestId: () => string;
  /** Called once per request after its answer, or after the client went, with the time from head to end. */
  readonly onFinished: (exchange: Exchange, durationMs: number) => void;
  readonly rules: EdgeRules;
}

/** Times and counts by which connections are kept and given up. */
export interface EdgeRules {
  /** More than this are not kept open at once. */
  readonly connectionsMax: number;
  /** How long a connection may be without a request, and take for the head of one. */
  readonly idleMs: number;
  /** How long a client may take nothing of an answer. */
  readonly stallMs: number;
  /** How long, how much and with what silence what a refused client still sends is dropped. */
  readonly lingerMs: number;
  readonly lingerBytesMax: number;
  readonly lingerSilenceMs: number;
}

export const defaultEdgeRules: EdgeRules = {
  connectionsMax: limits.httpConnectionsMax,
  idleMs: limits.httpIdleMs,
  stallMs: limits.downloadStallMs,
  lingerMs: limits.httpLingerMs,
  lingerBytesMax: limits.httpLingerBytesMax,
  lingerSilenceMs: limits.httpLingerSilenceMs,
};
