import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** What a request is answered with; `lost` cuts the connection once the request is read. */
export type ScriptedAnswer = { readonly status: number; readonly body?: unknown } | 'lost';

export interface SeenRequest {
  /** `PUT /v1/folders/…`, with query. */
  readonly line: string;
  readonly ifMatch: string | undefined;
  readonly body: unknown;
}

/** Answers each request line from its script, one answer after the other, the last for ever; other requests with 404. */
export class ScriptedServer {
  readonly url: string;
  readonly seen: SeenRequest[] = [];
  readonly #script: Map<string, ScriptedAnswer[]>;

  private constructor(url: string, script: Readonly<Record<string, ScriptedAnswer | readonly ScriptedAnswer[]>>) {
    this.url = url;
    this.#script = new Map(Object.entries(script).map(([line, answers]) => [line, [answers].flat() as ScriptedAnswer[]]));
  }

  static async start(
    t: Test,
    script: Readonly<Record<string, ScriptedAnswer | readonly ScriptedAnswer[]>>,
  ): Promise<ScriptedServer> {
    let scripted: ScriptedServer | undefined;
    const server = createServer((request, response) => void scripted?.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    scripted = new ScriptedServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, script);
    return scripted;
  }

  /** The lines of all requests so far. */
  get lines(): readonly string[] {
    return this.seen.map(({ line }) => line);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const text = Buffer.concat(parts).toString('utf8');
    const line = `${request.method} ${request.url}`;
    this.seen.push({ line, ifMatch: request.headers['if-match'], body: text === '' ? undefined : JSON.parse(text) });
    const answers = this.#script.get(line) ?? [{ status: 404, body: { code: 'route_not_found' } }];
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) as ScriptedAnswer;
    if (answer === 'lost') {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.status < 400 ? 'application/json' : 'application/problem+json' });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }
}
