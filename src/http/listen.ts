import type { AddressInfo, Server } from 'node:net';
import { QuasarError } from '../core/errors.ts';

/**
 * Exclusive: without it two processes would share the port, and each would get half of the requests.
 * @throws QuasarError `port_in_use` when the address cannot be taken.
 */
export function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      reject(
        new QuasarError('port_in_use', {
          op: 'http.open',
          message: `The address ${host}:${port} cannot be taken; another program may be listening there.`,
          details: { host, port },
          cause,
        }),
      );
    };
    server.once('error', failed);
    server.listen({ host, port, exclusive: true, backlog: BACKLOG }, () => {
      server.off('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Connections the kernel keeps for us while we are busy; it takes fewer where its own limit is lower. */
const BACKLOG = 1024;
