import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { EdgeState } from './base-exchange.ts';
import { ConnectionCap } from './connection-cap.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { listen } from './listen.ts';
import { NodeHttpConnection } from './node-http-connection.ts';
import { NodeHttpExchange } from './node-http-exchange.ts';
import { ConnectionRefusals, rawProblem } from './refuse-connection.ts';

/**
 * Serves by node:http. Its own limits stand only where no handler can act: on heads and idle connections. Bodies have no
 * time limit here; who reads one has the stall rule.
 * @throws QuasarError `port_in_use` when the address cannot be taken.
 */
export async function openNodeHttpEdge(options: EdgeOptions): Promise<Edge> {
  const { rules } = options;
  const server = createServer({
    maxHeaderSize: limits.httpHeadMax,
    headersTimeout: rules.idleMs,
    keepAliveTimeout: rules.idleMs,
    connectionsCheckingInterval: rules.idleMs / 2,
    requestTimeout: 0,
    noDelay: true,
    insecureHTTPParser: false,
    // The guard answers for it, with a problem.
    requireHostHeader: false,
  });
  // Without a number node would drop the headers beyond it in silence; the guard counts them.
  server.maxHeadersCount = 0;
  server.timeout = 0;
  // Not in the types: a client that sends no more gets its answer all the same.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  const edge = new NodeHttpEdge(server, options);
  await edge.listen();
  return edge;
}

class NodeHttpEdge implements Edge {
  readonly name = 'node:http';
  readonly host: string;
  port = 0;
  readonly #server: Server;
  readonly #state: EdgeState;
  readonly #cap: ConnectionCap<NodeHttpConnection>;
  readonly #refusals: ConnectionRefusals;
  readonly #connections = new WeakMap<object, NodeHttpConnection>();
  readonly #stopped: Promise<void>;
  #listening = false;

  constructor(server: Server, options: EdgeOptions) {
    this.host = options.host;
    this.#server = server;
    this.#state = new EdgeState(options);
    this.#cap = new ConnectionCap(options.rules.connectionsMax);
    this.#refusals = new ConnectionRefusals(this.#state);
    this.#stopped = new Promise((resolve) => server.once('close', () => resolve()));
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    server.prependListener('connection', (socket) => this.#accept(socket));
    server.on('request', serve);
    // Expectations other than 100-continue may be ignored (RFC 9110 10.1.1), as the other adapter does.
    server.on('checkExpectation', serve);
    server.on('checkContinue', serve);
    server.on('connect', (_request, socket) => this.#refuseTunnel(socket as Socket));
    server.on('clientError', (error: Error, socket) => this.#fail(error, socket as Socket));
    // A client that stalls while an answer is being written: only then does the exchange set a socket timeout.
    server.on('timeout', (socket) => socket.destroy());
  }

  get active(): number {
    return this.#state.active;
  }

  async listen(): Promise<void> {
    this.port = await listen(this.#server, this.#state.options);
    this.#listening = true;
  }

  stopListening(): void {
    this.#state.draining = true;
    if (!this.#listening) return;
    this.#listening = false;
    this.#server.close();
  }

  async close(): Promise<void> {
    this.stopListening();
    this.#refusals.close();
    // Their own events come later, under load much later.
    for (const connection of this.#cap.open) {
      connection.loseAll();
      connection.cut();
    }
    this.#server.closeAllConnections();
    await this.#stopped;
  }

  #accept(socket: Socket): void {
    if (!this.#cap.canAdmit) {
      this.#refusals.refuse(socket);
      return;
    }
    const connection = new NodeHttpConnection(this.#state, this.#cap, socket);
    this.#connections.set(socket, connection);
    this.#cap.admit(connection);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    // Whatever follows a request that closes the connection is not a request we trust.
    if (connection === undefined || connection.closing || request.socket.destroyed) return;
    new NodeHttpExchange(this.#state, connection, request, response).run();
  }

  #refuseTunnel(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.write(rawProblem(new QuasarError('method_unknown', { op: 'http.guard' }), this.#state), 'latin1');
    socket.destroySoon();
  }

  #fail(error: Error, socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.fail(error);
  }
}
