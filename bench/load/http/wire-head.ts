import { type S3Credentials, signedHeaders } from '../drivers/aws4-signature.ts';
import type { DriverRequest } from '../drivers/driver.ts';

/** Writes the heads of requests to one server. */
export class WireHead {
  readonly #host: string;
  readonly #always: string;
  readonly #credentials: S3Credentials | undefined;

  /** `always` goes with every request, as the installation demands; `host` is with its port. */
  constructor(options: {
    readonly host: string;
    readonly always: readonly (readonly [string, string])[];
    readonly credentials: S3Credentials | undefined;
  }) {
    this.#host = options.host;
    this.#always = options.always.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#credentials = options.credentials;
  }

  /** `bodySize` is undefined for requests that have none and need not say so. */
  write(request: DriverRequest, bodySize: number | undefined): string {
    const { method, path } = request;
    const headers =
      this.#credentials === undefined ? (request.headers ?? {}) : signedHeaders(request, this.#host, this.#credentials);
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${this.#always}`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    if (bodySize !== undefined) head += `Content-Length: ${bodySize}\r\n`;
    return `${head}\r\n`;
  }
}

/** Lines `Name: value`; empty ones and those that begin with # are passed over. Undefined when a line is none of these. */
export function parseHeaderLines(text: string): [string, string][] | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const headers = lines.map((line) => /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line));
  if (headers.includes(null)) return undefined;
  return headers.map((match) => [match?.[1] ?? '', (match?.[2] ?? '').trim()]);
}
