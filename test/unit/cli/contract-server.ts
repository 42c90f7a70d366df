import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { blockIdOf } from '../../../src/core/blake3.ts';

interface Upload {
  readonly uploadId: string;
  readonly documentId: string;
  readonly size: number | null;
  readonly filename: string | undefined;
  readonly digests?: { readonly blake3?: string; readonly sha256?: string } | undefined;
  cancelled?: boolean;
  bytes: Buffer;
  result: Record<string, unknown> | undefined;
}

interface Stored {
  readonly documentId: string;
  readonly versionId: string;
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
}

/** What a test may make go wrong; each entry is used up by the request it hits. */
export interface Faults {
  /** Cut the connection of a bytes request after this many of its bytes became durable. */
  cutUploadsAfter: number[];
  /** Take this many bytes of a bytes request, then nothing more until the client goes. */
  stallUploadsAfter: number[];
  /** Cut a content answer after this many bytes. */
  cutDownloadsAfter: number[];
  /** Refuse the next requests with this status, code and Retry-After. */
  refuse: {
    method: string;
    path: RegExp;
    status: number;
    code: string;
    retryAfter?: string;
    sendsDetails?: Record<string, unknown>;
  }[];
  /** Answer the next HEAD of an upload with an offset that lies this much ahead of the truth. */
  lieAhead: number[];
  /** Say this SHA-256 of stored content. */
  sha256: string | undefined;
  /** Flip a byte of content on its way out. */
  flip: boolean;
}

/** The upload, document and blob calls of the HTTP contract, in memory, for one test. */
export class ContractServer {
  readonly url: string;
  readonly faults: Faults = {
    cutUploadsAfter: [],
    stallUploadsAfter: [],
    cutDownloadsAfter: [],
    refuse: [],
    lieAhead: [],
    sha256: undefined,
    flip: false,
  };
  readonly requests: { method: string; path: string; headers: Record<string, unknown> }[] = [];
  readonly documents = new Map<string, Stored>();
  readonly uploads = new Map<string, Upload>();
  /** Document ids by `system:value`. */
  readonly refs = new Map<string, string>();
  inFlight = 0;
  inFlightMost = 0;
  readonly #server;
  readonly #byKey = new Map<string, string>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<ContractServer> {
    let contract: ContractServer | undefined;
    const server = createServer((request, response) => void contract?.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    contract = new ContractServer(server);
    return contract;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  countOf(method: string, path: RegExp): number {
    return this.requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method as string;
    const url = new URL(request.url as string, this.url);
    this.requests.push({ method, path: request.url as string, headers: request.headers });
    this.inFlight += 1;
    this.inFlightMost = Math.max(this.inFlightMost, this.inFlight);
    try {
      const at = this.faults.refuse.findIndex((refusal) => refusal.method === method && refusal.path.test(url.pathname));
      const refusal = at < 0 ? undefined : this.faults.refuse.splice(at, 1)[0];
      if (refusal !== undefined) {
        if (refusal.retryAfter !== undefined) response.setHeader('retry-after', refusal.retryAfter);
        request.resume();
        problem(response, refusal.status, refusal.code, refusal.sendsDetails ?? {});
        return;
      }
      await this.#route(method, url, request, response);
    } catch {
      response.destroy();
    } finally {
      this.inFlight -= 1;
    }
  }

  async #route(method: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, , collection, id, part] = url.pathname.split('/');
    if (method === 'POST' && url.pathname === '/v1/documents') {
      if (request.headers['content-type'] === 'application/json') return this.#openSession(request, response);
      return this.#oneShot(url, request, response);
    }
    if (collection === 'documents' && id === undefined) return this.#list(url, response);
    if (collection === 'documents' && part === 'refs') {
      this.refs.set(decodeURIComponent(url.pathname.split('/').slice(5).join(':')), id as string);
      request.resume();
      return json(response, 201, {});
    }
    if (collection === 'uploads') return this.#upload(method, id as string, part, request, response);
    if (collection === 'documents' && part === 'content')
      return this.#content(this.documents.get(id as string), request, response);
    if (collection === 'documents') return this.#document(id as string, part, response);
    if (collection === 'blobs') {
      const stored = [...this.documents.values()].find((one) => keyOf(one.bytes) === id);
      return this.#content(stored, request, response);
    }
    problem(response, 404, 'route_not_found');
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wish = JSON.parse((await readAll(request)).toString('utf8')) as Record<string, unknown>;
    const key = request.headers['idempotency-key'] as string;
    const known = this.uploads.get(this.#byKey.get(key) ?? '') ?? this.#liveUpload(wish.documentId);
    const upload = known ?? {
      uploadId: randomUUID(),
      documentId: (wish.documentId as string | undefined) ?? randomUUID(),
      size: (wish.size as number | undefined) ?? null,
      filename: wish.filename as string | undefined,
      digests: wish.digests as Upload['digests'],
      bytes: Buffer.alloc(0),
      result: undefined,
    };
    this.uploads.set(upload.uploadId, upload);
    this.#byKey.set(key, upload.uploadId);
    const { documentId, uploadId } = upload;
    json(response, known === undefined ? 201 : 200, {
      documentId,
      uploadId,
      offset: upload.bytes.length,
      expiresAt: '2030-01-01T00:00:00.000Z',
    });
  }

  /** A caller has one open session for a document. */
  #liveUpload(documentId: unknown): Upload | undefined {
    return [...this.uploads.values()].find(
      (upload) => upload.documentId === documentId && upload.result === undefined && upload.cancelled !== true,
    );
  }

  async #oneShot(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = request.headers['idempotency-key'] as string;
    const bytes = await readAll(request);
    const filename = url.searchParams.get('filename') ?? undefined;
    if (filename !== undefined && /\p{Cc}/u.test(filename))
      return problem(response, 400, 'bad_parameter', { parameter: 'filename' });
    const known = this.documents.get(this.#byKey.get(key) ?? '');
    const stored = known ?? {
      documentId: randomUUID(),
      versionId: randomUUID(),
      filename,
      contentType: request.headers['content-type'],
      bytes,
    };
    this.documents.set(stored.documentId, stored);
    this.#byKey.set(key, stored.documentId);
    response.setHeader('quasar-durability', 'fsync;nodes=1');
    json(response, known === undefined ? 201 : 200, this.#view(stored));
  }

  async #upload(
    method: string,
    id: string,
    part: string | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const upload = this.uploads.get(id);
    if (upload === undefined) return problem(response, 404, 'upload_not_found');
    if (method === 'HEAD') {
      const offset = upload.bytes.length + (this.faults.lieAhead.shift() ?? 0);
      response
        .writeHead(200, { 'upload-offset': String(offset), 'upload-complete': upload.result === undefined ? '?0' : '?1' })
        .end();
      return;
    }
    if (method === 'GET') {
      const { size, digests = {}, bytes } = upload;
      return json(response, 200, { uploadId: id, state: 'open', offset: bytes.length, size, digests });
    }
    if (method === 'DELETE') {
      upload.cancelled = true;
      response.writeHead(204).end();
      return;
    }
    if (upload.cancelled) return problem(response, 409, 'upload_closed');
    if (part === 'bytes') return this.#takeBytes(upload, request, response);
    if (part === 'finalize') return this.#finalize(upload, request, response);
    problem(response, 405, 'method_not_allowed');
  }

  async #takeBytes(upload: Upload, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (Number(request.headers['upload-offset'] ?? 0) !== upload.bytes.length) {
      response.setHeader('upload-offset', String(upload.bytes.length));
      return problem(response, 409, 'upload_offset_mismatch', { expected: upload.bytes.length });
    }
    const stall = this.faults.stallUploadsAfter.shift();
    const cut = stall ?? this.faults.cutUploadsAfter.shift();
    const before = upload.bytes.length;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const room = cut === undefined ? chunk.length : Math.min(chunk.length, before + cut - upload.bytes.length);
      upload.bytes = Buffer.concat([upload.bytes, chunk.subarray(0, room)]);
      if (cut !== undefined && upload.bytes.length === before + cut) {
        if (stall === undefined) request.destroy();
        else await once(request.socket, 'close');
        return;
      }
    }
    response.writeHead(204, { 'upload-offset': String(upload.bytes.length), 'quasar-durability': 'fsync;nodes=1' }).end();
  }

  async #finalize(upload: Upload, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await readAll(request);
    if (upload.size !== null && upload.bytes.length < upload.size)
      return problem(response, 409, 'upload_incomplete', { offset: upload.bytes.length });
    const repeated = upload.result !== undefined;
    const { documentId, filename, bytes } = upload;
    const received = { blake3: blockIdOf(bytes), sha256: sha256(bytes) };
    if (upload.digests?.blake3 !== undefined && upload.digests.blake3 !== received.blake3)
      return problem(response, 422, 'digest_mismatch', { received });
    const stored = { documentId, versionId: randomUUID(), filename, contentType: undefined, bytes };
    this.documents.set(documentId, stored);
    upload.result ??= this.#view(stored);
    response.setHeader('quasar-durability', 'fsync;nodes=1');
    json(response, repeated ? 200 : 201, upload.result);
  }

  #content(stored: Stored | undefined, request: IncomingMessage, response: ServerResponse): void {
    if (stored === undefined) {
      problem(response, 404, 'document_not_found');
      return;
    }
    const size = stored.bytes.length;
    const etag = `"${keyOf(stored.bytes).replace(':', '-')}"`;
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
    const honoured = range !== null && (request.headers['if-range'] ?? etag) === etag;
    const suffix = range?.[1] === '';
    const first = !honoured ? 0 : suffix ? Math.max(0, size - Number(range[2])) : Number(range[1]);
    const last = !honoured || suffix || range[2] === '' ? size - 1 : Math.min(size - 1, Number(range[2]));
    if (honoured && first >= size) {
      problem(response, 416, 'range_unsatisfiable', { size });
      return;
    }
    const digest = Buffer.from(this.faults.sha256 ?? sha256(stored.bytes), 'hex').toString('base64');
    response.writeHead(honoured ? 206 : 200, {
      etag,
      'repr-digest': `sha-256=:${digest}:`,
      'content-length': String(last - first + 1),
      ...(honoured ? { 'content-range': `bytes ${first}-${last}/${size}` } : {}),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const body = Buffer.from(stored.bytes.subarray(first, last + 1));
    if (this.faults.flip) body[0] = (body[0] as number) ^ 1;
    const cut = this.faults.cutDownloadsAfter.shift();
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => response.socket?.end());
  }

  #list(url: URL, response: ServerResponse): void {
    const limit = Number(url.searchParams.get('limit') ?? 100);
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const ref = url.searchParams.get('ref');
    const all = [...this.documents.values()].reverse().filter((one) => ref === null || this.refs.get(ref) === one.documentId);
    const items = all.slice(start, start + limit).map((stored) => this.#documentView(stored));
    json(response, 200, { items, nextCursor: start + limit < all.length ? String(start + limit) : null });
  }

  #document(id: string, part: string | undefined, response: ServerResponse): void {
    const stored = this.documents.get(id);
    if (stored === undefined) {
      problem(response, 404, 'document_not_found');
      return;
    }
    json(response, 200, part === 'versions' ? { items: [this.#view(stored)], nextCursor: null } : this.#documentView(stored));
  }

  #documentView(stored: Stored): Record<string, unknown> {
    const { documentId, versionId } = stored;
    const at = '2026-01-01T00:00:00.000Z';
    const externalRefs = [...this.refs]
      .filter(([, id]) => id === documentId)
      .map(([ref]) => ({ system: ref.slice(0, ref.indexOf(':')), value: ref.slice(ref.indexOf(':') + 1) }));
    return { documentId, currentVersionId: versionId, createdAt: at, updatedAt: at, externalRefs, current: this.#view(stored) };
  }

  #view(stored: Stored): Record<string, unknown> {
    const { documentId, versionId, filename, bytes } = stored;
    const key = keyOf(bytes);
    const digests = { blake3: key.slice(3), sha256: this.faults.sha256 ?? sha256(bytes) };
    return { documentId, versionId, filename, contentRef: { kind: 'blob', key }, size: bytes.length, digests };
  }
}

function keyOf(bytes: Buffer): string {
  return `b3:${blockIdOf(bytes)}`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function problem(response: ServerResponse, status: number, code: string, details: Record<string, unknown> = {}): void {
  response.writeHead(status, { 'content-type': 'application/problem+json', 'x-request-id': 'r-1' });
  response.end(JSON.stringify({ type: `urn:quasar:error:${code}`, title: code, status, code, requestId: 'r-1', details }));
}
