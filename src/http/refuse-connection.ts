import type { Socket } from 'node:net';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { EdgeState } from './base-exchange.ts';
import { type ProblemAnswer, problemOf } from './problem.ts';
import { statusLine } from './status-line.ts';

/** Tells connections for which there is no place that it is so; a few at a time, since each takes a descriptor too. */
export class ConnectionRefusals {
  readonly #edge: EdgeState;
  readonly #open = new Set<Socket>();

  constructor(edge: EdgeState) {
    this.#edge = edge;
  }

  refuse(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#open.size >= limits.httpRefusalsMax) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.setTimeout(limits.httpRefusalMs, () => socket.destroy());
    socket.resume();
    socket.end(rawProblem(new QuasarError('too_many_connections', { op: 'http.accept' }), this.#edge), 'latin1');
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** The last answer on a connection on which there is no request to answer. */
export function rawProblem(error: QuasarError, edge: EdgeState): string {
  const requestId = edge.options.newRequestId();
  const { status, headers, body }: ProblemAnswer = problemOf(error, { requestId, instance: '' });
  const all = ['Date', edge.date(), 'X-Request-Id', requestId, ...headers, 'Content-Length', String(Buffer.byteLength(body))];
  let text = statusLine(status);
  for (let at = 0; at < all.length; at += 2) text += `${all[at]}: ${all[at + 1]}\r\n`;
  return `${text}Connection: close\r\n\r\n${body}`;
}
