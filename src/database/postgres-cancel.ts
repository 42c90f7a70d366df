import pg from 'pg';

interface Cancelling {
  cancel(processId: number, secretKey: number): void;
}

interface Key {
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/**
 * Asks the server to cancel what `client` waits for: on a connection of its own, by the key that the server gave with the
 * first one. It does not say whether it did. Resolves when it was asked, or could not be within `timeoutMs`.
 */
export async function cancelOnServer(client: pg.ClientBase, ssl: pg.ClientConfig['ssl'], timeoutMs: number): Promise<void> {
  const { host, port, processID, secretKey } = client as pg.Client & Key;
  if (processID === null || secretKey === null) return;
  const connection = new pg.Connection({ ssl } as pg.ConnectionConfig);
  const { stream } = connection;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const ask = () => (connection as unknown as Cancelling).cancel(processID, secretKey);
    connection.once('sslconnect', ask);
    connection.once('connect', () => {
      if (ssl) (connection as unknown as { requestSsl(): void }).requestSsl();
      else ask();
    });
    connection.on('error', end);
    connection.once('end', end);
    const connect = (connection as unknown as { connect(port: number | string, host?: string): void }).connect.bind(connection);
    if (host.startsWith('/')) connect(`${host}/.s.PGSQL.${port}`);
    else connect(port, host);
  });
  stream.destroy();
}
