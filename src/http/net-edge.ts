import { createServer, type Server, type Socket } from 'node:net';
import { EdgeState } from './base-exchange.ts';
import { ConnectionCap } from './connection-cap.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { listen } from './listen.ts';
import { NetConnection } from './net-connection.ts';
import { ConnectionRefusals } from './refuse-connection.ts';

/**
 * Serves HTTP/1.1 by sockets and a parser of our own. `sharesBuffer` is false in tests of how it reads where Node does not
 * let it read into one buffer (net-socket.ts).
 * @throws QuasarError `port_in_use` when the address cannot be taken.
 */
export async function openNetEdge(options: EdgeOptions, sharesBuffer = true): Promise<Edge> {
  const edge = new NetEdge(options, sharesBuffer);
  await edge.listen();
  return edge;
}

class NetEdge implements Edge {
  readonly name = 'net';
  readonly host: string;
  port = 0;
  readonly #state: EdgeState;
  readonly #cap: ConnectionCap<NetConnection>;
  readonly #refusals: ConnectionRefusals;
  readonly #server: Server;
  readonly #sharesBuffer: boolean;
  #timer: NodeJS.Timeout | undefined;
  #listening = false;

  constructor(options: EdgeOptions, sharesBuffer: boolean) {
    this.host = options.host;
    this.#sharesBuffer = sharesBuffer;
    this.#state = new EdgeState(options);
    this.#cap = new ConnectionCap(options.rules.connectionsMax);
    this.#refusals = new ConnectionRefusals(this.#state);
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  get active(): number {
    return this.#state.active;
  }

  async listen(): Promise<void> {
    const { options } = this.#state;
    this.port = await listen(this.#server, options);
    this.#listening = true;
    const { idleMs, lingerMs, lingerSilenceMs } = options.rules;
    const everyMs = Math.min(CHECK_MS, idleMs / 4, lingerMs / 4, lingerSilenceMs / 4);
    this.#timer = setInterval(() => this.#check(), everyMs);
    this.#timer.unref();
  }

  stopListening(): void {
    this.#state.draining = true;
    if (!this.#listening) return;
    this.#listening = false;
    this.#server.close();
    for (const connection of this.#cap.open) if (connection.isIdle) connection.cut();
  }

  async close(): Promise<void> {
    this.stopListening();
    clearInterval(this.#timer);
    this.#refusals.close();
    for (const connection of this.#cap.open) connection.cut();
  }

  #accept(socket: Socket): void {
    if (!this.#cap.canAdmit) {
      this.#refusals.refuse(socket);
      return;
    }
    const connection = new NetConnection(this.#state, this.#cap, socket, this.#sharesBuffer);
    this.#cap.admit(connection);
  }

  #check(): void {
    const now = this.#state.options.clock.monotonic();
    for (const connection of this.#cap.open) connection.check(now);
  }
}

/** How often connections are looked at; each may overstay by so much. */
const CHECK_MS = 1000;
