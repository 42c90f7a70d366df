import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { EdgeState } from './base-exchange.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { type NodeConnection, NodeHttpExchange } from './node-http-exchange.ts';

/**
 * Serves by node:http. Its own limits stand only where no handler can act: on heads and idle connections. Bodies have no
 * time limit here; who reads one has the stall rule.
 * @throws QuasarError `port_in_use` when the address cannot be taken.
 */
export async function openNodeHttpEdge(options: EdgeOptions): Promise<Edge> {
  const state = new EdgeState(options);
  const connections = new Map<Socket, NodeConnection>();
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket);
    // Whatever follows a request that closes the connection is not a request we trust.
    if (connection === undefined || connection.closing || request.socket.destroyed) return;
    new NodeHttpExchange(state, connection, request, response).run();
  };
  const server = createServer(
    {
      maxHeaderSize: limits.httpHeadMax,
      headersTimeout: limits.httpIdleMs,
      keepAliveTimeout: limits.httpIdleMs,
      connectionsCheckingInterval: limits.httpIdleMs / 2,
      requestTimeout: 0,
      noDelay: true,
      insecureHTTPParser: false,
      // The guard answers for it, with a problem.
      requireHostHeader: false,
    },
    serve,
  );
  server.on('connection', (socket) => {
    const connection: NodeConnection = { closing: false, open: new Set() };
    connections.set(socket, connection);
    socket.once('close', () => {
      connections.delete(socket);
      for (const exchange of connection.open) exchange.connectionClosed();
    });
  });
  // Without a number node would drop the headers beyond it in silence; the guard counts them.
  server.maxHeadersCount = 0;
  server.timeout = 0;
  // A client that stalls while an answer is being written: only then does the exchange set a socket timeout.
  server.on('timeout', (socket) => socket.destroy());
  // Expectations other than 100-continue may be ignored (RFC 9110 10.1.1), as the other adapter does.
  server.on('checkExpectation', serve);
  await listen(server, options);
  return new NodeHttpEdge(server, state, connections);
}

class NodeHttpEdge implements Edge {
  readonly name = 'node:http';
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #state: EdgeState;
  readonly #connections: ReadonlyMap<Socket, NodeConnection>;
  readonly #stopped: Promise<void>;
  #listening = true;

  constructor(server: Server, state: EdgeState, connections: ReadonlyMap<Socket, NodeConnection>) {
    this.#server = server;
    this.#connections = connections;
    this.#state = state;
    this.host = state.options.host;
    this.port = (server.address() as AddressInfo).port;
    this.#stopped = new Promise((resolve) => server.once('close', () => resolve()));
  }

  get active(): number {
    return this.#state.active;
  }

  stopListening(): void {
    this.#state.draining = true;
    if (!this.#listening) return;
    this.#listening = false;
    this.#server.close();
  }

  async close(): Promise<void> {
    this.stopListening();
    this.#server.closeAllConnections();
    // Their own events come later, under load much later.
    for (const { open } of this.#connections.values()) for (const exchange of open) exchange.connectionClosed();
    await this.#stopped;
  }
}

function listen(server: Server, options: EdgeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      reject(
        new QuasarError('port_in_use', {
          op: 'http.open',
          message: `The address ${options.host}:${options.port} cannot be taken; another program may be listening there.`,
          details: { host: options.host, port: options.port },
          cause,
        }),
      );
    };
    server.once('error', failed);
    server.listen({ host: options.host, port: options.port, exclusive: true }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
