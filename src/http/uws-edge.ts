import type * as Uws from 'uWebSockets.js';
import { createRequire } from 'node:module';
import { allowUwsHeads } from '../config/uws-head-limit.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { EdgeState } from './base-exchange.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { UwsExchange } from './uws-exchange.ts';

/**
 * Serves by uWebSockets.js. The library is loaded here and not by an import, since its binary does not load everywhere.
 * @throws what `require` throws then; QuasarError `port_in_use` when the address cannot be taken.
 */
export async function openUwsEdge(options: EdgeOptions): Promise<Edge> {
  allowUwsHeads(limits.httpHeadMax);
  const uws = createRequire(import.meta.url)('uWebSockets.js') as typeof Uws;
  const state = new EdgeState(options);
  const slow = new Set<UwsExchange>();
  const app = uws.App();
  app.any('/*', (res, req) => {
    const exchange = new UwsExchange(state, slow, res, {
      // The library refuses every other version by itself.
      version: '1.1',
      method: req.getCaseSensitiveMethod(),
      path: req.getUrl(),
      // The library answers undefined, not "", when there is none.
      query: (req.getQuery() as string | undefined) ?? '',
      headers: headersOf(req),
    });
    exchange.run();
    exchange.returned();
  });
  const socket = await listen(app, options);
  const timer = setInterval(() => {
    for (const exchange of slow) exchange.keepAlive();
  }, limits.httpKeepAliveMs);
  timer.unref();
  return new UwsEdge({ uws, app, socket, state, timer });
}

interface UwsEdgeParts {
  readonly uws: typeof Uws;
  readonly app: Uws.TemplatedApp;
  readonly socket: Uws.us_listen_socket;
  readonly state: EdgeState;
  readonly timer: NodeJS.Timeout;
}

class UwsEdge implements Edge {
  readonly name = 'uwebsockets';
  readonly host: string;
  readonly port: number;
  readonly #uws: typeof Uws;
  readonly #app: Uws.TemplatedApp;
  readonly #state: EdgeState;
  readonly #timer: NodeJS.Timeout;
  #socket: Uws.us_listen_socket | undefined;
  #closed = false;

  constructor(parts: UwsEdgeParts) {
    this.#uws = parts.uws;
    this.#app = parts.app;
    this.#socket = parts.socket;
    this.#state = parts.state;
    this.#timer = parts.timer;
    this.host = parts.state.options.host;
    this.port = parts.uws.us_socket_local_port(parts.socket as Uws.us_socket);
  }

  get active(): number {
    return this.#state.active;
  }

  stopListening(): void {
    this.#state.draining = true;
    if (this.#socket !== undefined) this.#uws.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    this.stopListening();
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#app.close();
  }
}

/** LIBUS_LISTEN_EXCLUSIVE_PORT of the library, whose types put it where it is not. */
const LISTEN_EXCLUSIVELY = 1;

/** The form with host and flags, which the library has and its types lack. */
interface ExclusiveListener {
  listen(host: string, port: number, flags: number, callback: (socket: Uws.us_listen_socket | false) => void): void;
}

/** Exclusive: without it two processes would share the port, and each would get half of the requests. */
function listen(app: Uws.TemplatedApp, options: EdgeOptions): Promise<Uws.us_listen_socket> {
  return new Promise((resolve, reject) => {
    (app as unknown as ExclusiveListener).listen(options.host, options.port, LISTEN_EXCLUSIVELY, (socket) => {
      if (socket !== false) resolve(socket);
      else reject(portInUse(options));
    });
  });
}

function portInUse(options: EdgeOptions): QuasarError {
  return new QuasarError('port_in_use', {
    op: 'http.open',
    message: `The address ${options.host}:${options.port} cannot be taken; another program may be listening there.`,
    details: { host: options.host, port: options.port },
  });
}

// One list and one callback for all requests: the library calls back synchronously.
let collected: string[] = [];
const collect = (name: string, value: string) => {
  collected.push(name, value);
};

function headersOf(req: Uws.HttpRequest): readonly string[] {
  collected = [];
  req.forEach(collect);
  return collected;
}
