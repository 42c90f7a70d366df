import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface JwksServer {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly asked: string[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Answers on loopback until the test is over. */
export async function jwksServer(t: Test, text: string): Promise<JwksServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    held.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const held: JwksServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    asked,
    answer: (_, response) => response.end(text),
  };
  return held;
}
