import { type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** No answer may take this long; a drill that waits for one would end without saying why. */
const PATIENCE_MS = 60_000;

/** A server, and the key it takes. */
export interface DrillServer {
  readonly url: string;
  readonly key: string;
}

export interface DrillCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface DrillAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: Record<string, unknown>;
  /** Of a problem; empty otherwise. */
  readonly code: string;
}

/**
 * One request on a connection of its own. Undefined when the connection was lost before the answer was complete: what
 * the server did is then unknown. An answer that comes before the body is sent counts, as it does for real clients.
 */
export function ask({ url, key }: DrillServer, call: DrillCall): Promise<DrillAnswer | undefined> {
  const body = call.body === undefined ? undefined : Buffer.from(call.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(url + call.path, {
      method: call.method ?? 'GET',
      headers: {
        authorization: `Bearer ${key}`,
        ...call.headers,
        ...(body === undefined ? {} : { 'content-length': String(body.byteLength) }),
      },
      agent: false,
    });
    let answered = false;
    outgoing.on('response', (incoming) => {
      answered = true;
      buffer(incoming).then(
        (bytes) => resolve(toAnswer(incoming.statusCode as number, incoming.headers, bytes)),
        () => resolve(undefined),
      );
    });
    outgoing.on('error', () => {
      if (!answered) resolve(undefined);
    });
    const hung = () => reject(new Error(`${call.method ?? 'GET'} ${call.path} was not answered within ${PATIENCE_MS / 1000} s`));
    outgoing.setTimeout(PATIENCE_MS, () => {
      hung();
      outgoing.destroy();
    });
    outgoing.end(body);
  });
}

export function askJson(server: DrillServer, method: string, path: string, body: unknown): Promise<DrillAnswer | undefined> {
  return ask(server, { method, path, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

/** The answer, where nothing may keep the server from giving one. */
export async function call(server: DrillServer, wish: DrillCall): Promise<DrillAnswer> {
  const answer = await ask(server, wish);
  if (answer === undefined) throw new Error(`${wish.method ?? 'GET'} ${wish.path} lost its connection`);
  return answer;
}

export function callJson(server: DrillServer, method: string, path: string, body: unknown): Promise<DrillAnswer> {
  return call(server, { method, path, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

/** The value of a metric without labels. */
export async function metricOf(server: DrillServer, name: string): Promise<number> {
  const { body } = await call(server, { path: '/metrics' });
  const line = body
    .toString()
    .split('\n')
    .find((text) => text.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

function toAnswer(status: number, headers: IncomingHttpHeaders, body: Buffer): DrillAnswer {
  const isJson = /json/.test(headers['content-type'] ?? '') && body.byteLength > 0;
  const json = isJson ? (JSON.parse(body.toString()) as Record<string, unknown>) : {};
  return { status, headers, body, json, code: typeof json.code === 'string' ? json.code : '' };
}
