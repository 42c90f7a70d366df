import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresTarget } from '../../src/database/postgres-pool.ts';
import type { Teardown } from './postgres.ts';

/** A way to a server on which connections can be lost at a chosen moment. */
export interface LosingProxy {
  readonly target: PostgresTarget;
  /** The next answer with this text is not passed on, and ends its connection. */
  swallow(text: string): void;
  /** Cuts all connections on the client's side; the server does not hear of it. */
  cutClients(): void;
}

/** CancelRequest of PostgreSQL's protocol: its length and its code. */
const CANCEL = Buffer.from([0, 0, 0, 16, 4, 210, 22, 46]);

/** Kind and length of a message of the PostgreSQL protocol. */
const MESSAGE_HEAD_SIZE = 5;

/** Cancel requests are not passed on with `deaf`. */
export async function openLosingProxy(t: Teardown, to: PostgresTarget, { deaf = false } = {}): Promise<LosingProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'quasar-losing-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const clients = new Set<Socket>();
  const servers = new Set<Socket>();
  let swallowed: string | undefined;
  const proxy = createServer((client) => {
    const server = connect(`${to.host}/.s.PGSQL.${to.port}`);
    clients.add(client);
    servers.add(server);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('data', (bytes) => {
      if (!(deaf && bytes.subarray(0, CANCEL.length).equals(CANCEL))) server.write(bytes);
      else client.end();
    });
    client.on('close', () => clients.delete(client));
    server.on('data', (bytes) => {
      const at = swallowed === undefined ? -1 : bytes.indexOf(swallowed);
      if (at < 0) client.write(bytes);
      else {
        swallowed = undefined;
        // What came before that message may have come in one piece with it; the client has that.
        client.end(bytes.subarray(0, at - MESSAGE_HEAD_SIZE), () => client.destroy());
      }
    });
    server.on('close', () => client.destroy());
  });
  proxy.listen(join(folder, `.s.PGSQL.${to.port}`));
  await once(proxy, 'listening');
  await chmod(folder, 0o711);
  t.teardown(async () => {
    for (const socket of [...clients, ...servers]) socket.destroy();
    proxy.close();
    await once(proxy, 'close');
  });
  return {
    target: { ...to, host: folder },
    swallow: (text) => {
      swallowed = text;
    },
    cutClients: () => {
      for (const client of clients) client.destroy();
    },
  };
}
