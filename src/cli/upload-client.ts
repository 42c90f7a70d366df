import { isHexDigest } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { Attempts } from './attempts.ts';
import type { ClientBody, HttpClient } from './http-client.ts';
import { wholeNumber } from './problem.ts';

export interface SessionWish {
  readonly documentId: string | undefined;
  /** Where a new document is to lie. */
  readonly folderId: string | undefined;
  readonly filename: string;
  readonly contentType: string | undefined;
}

/** A session as it is asked for; the server compares what is announced here when the upload is finalised. */
export interface SessionRequest extends SessionWish {
  /** Undefined when only the end of the input will tell. */
  readonly size: number | undefined;
  readonly digests: { readonly blake3?: string | undefined; readonly sha256?: string | undefined };
  readonly idempotencyKey: string;
}

export interface OpenedSession {
  readonly uploadId: string;
  readonly documentId: string;
  readonly offset: number;
  /** It was there before this request. */
  readonly found: boolean;
}

export interface StoredDocument {
  readonly documentId: string;
  readonly versionId: string;
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
  readonly durability: string;
  /** False when the server had it from an earlier request and only answered again. */
  readonly fresh: boolean;
}

/** The upload calls of the HTTP contract, one method a call. */
export class UploadClient {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** One request for a small document. Safe to repeat: the key makes the server answer again. */
  async putWhole(
    bytes: Buffer,
    sha256: string,
    wish: SessionWish & { readonly idempotencyKey: string },
  ): Promise<StoredDocument> {
    const answer = await this.#http.json({
      method: 'POST',
      path: `/v1/documents?filename=${encodeURIComponent(wish.filename)}${wish.folderId === undefined ? '' : `&folder=${wish.folderId}`}`,
      headers: {
        ...(wish.contentType === undefined ? {} : { 'content-type': wish.contentType }),
        'idempotency-key': wish.idempotencyKey,
        'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
      },
      body: { size: bytes.length, chunks: [bytes] },
    });
    return storedDocument(answer);
  }

  /** Opens a session, or finds one: that of an earlier request with the same key, or the caller's open one of the same document. */
  async open(wish: SessionRequest): Promise<OpenedSession> {
    const { filename, contentType, size, digests, folderId } = wish;
    const { status, value } = await this.#http.json({
      method: 'POST',
      path: '/v1/documents',
      headers: { 'content-type': 'application/json', 'idempotency-key': wish.idempotencyKey },
      body: jsonBody({ documentId: wish.documentId, folderId, filename, contentType, size, digests }),
    });
    const { uploadId, documentId, offset } = record(value);
    if (typeof uploadId !== 'string' || typeof documentId !== 'string' || !isSize(offset)) throw unexpected('an upload session');
    return { uploadId, documentId, offset, found: status !== 201 };
  }

  /** What a session was opened for. */
  async announced(uploadId: string): Promise<Pick<SessionRequest, 'size' | 'digests'>> {
    const { value } = await this.#http.json({ method: 'GET', path: `/v1/uploads/${uploadId}` });
    const { size, digests } = record(value);
    return { size: isSize(size) ? size : undefined, digests: record(digests) };
  }

  /** Sends bytes from `offset`; resolves with the durable offset after them. */
  async send(uploadId: string, offset: number, body: ClientBody): Promise<number> {
    const { headers } = await this.#http.json({
      method: 'PUT',
      path: `/v1/uploads/${uploadId}/bytes`,
      headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(offset) },
      body,
    });
    return requiredOffset(headers['upload-offset']);
  }

  /** The durable offset now. */
  async offset(uploadId: string): Promise<number> {
    const { headers } = await this.#http.json({ method: 'HEAD', path: `/v1/uploads/${uploadId}` });
    return requiredOffset(headers['upload-offset']);
  }

  /** Gives up what was sent so far. Safe to repeat. */
  async cancel(uploadId: string): Promise<void> {
    await this.#http.json({ method: 'DELETE', path: `/v1/uploads/${uploadId}` });
  }

  /** Safe to repeat: the server keeps its answer. */
  async finalize(uploadId: string, sha256: string, reason?: string): Promise<StoredDocument> {
    const answer = await this.#http.json({
      method: 'POST',
      path: `/v1/uploads/${uploadId}/finalize`,
      headers: { 'content-type': 'application/json' },
      body: jsonBody({ digests: { sha256 }, reason }),
    });
    return storedDocument(answer);
  }
}

/**
 * Finds out where to go on after a failed request: from the answer when it says so, else by asking. Waits before
 * asking, longer each time nothing was gained. @throws the failure when it is final.
 */
export async function offsetAfterFailure(
  failure: unknown,
  upload: { client: UploadClient; uploadId: string },
  attempts: Attempts,
): Promise<number> {
  if (isQuasarError(failure, 'upload_offset_mismatch') && isSize(failure.details.uploadOffset)) {
    attempts.count(failure);
    return failure.details.uploadOffset;
  }
  await attempts.afterFailure(failure);
  for (;;) {
    try {
      return await upload.client.offset(upload.uploadId);
    } catch (error) {
      await attempts.afterFailure(error);
    }
  }
}

function storedDocument(answer: { value: unknown; headers: Readonly<Record<string, unknown>>; status: number }): StoredDocument {
  const { documentId, versionId, contentRef, size, digests } = record(answer.value);
  const { key } = record(contentRef);
  const { sha256 } = record(digests);
  if (typeof documentId !== 'string' || typeof versionId !== 'string' || typeof key !== 'string') throw unexpected('a document');
  if (!isSize(size) || typeof sha256 !== 'string' || !isHexDigest(sha256)) throw unexpected('a document');
  const durability = answer.headers['quasar-durability'];
  return {
    documentId,
    versionId,
    key,
    size,
    sha256,
    durability: typeof durability === 'string' ? durability : '',
    fresh: answer.status === 201,
  };
}

function requiredOffset(header: string | string[] | undefined): number {
  const offset = wholeNumber(header);
  if (offset === undefined) throw unexpected('an Upload-Offset');
  return offset;
}

export function jsonBody(value: Readonly<Record<string, unknown>>): ClientBody {
  const bytes = Buffer.from(JSON.stringify(value));
  return { size: bytes.length, chunks: [bytes] };
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function unexpected(what: string): QuasarError {
  return new QuasarError('unexpected_answer', {
    op: 'cli.request',
    message: `The server's answer is not ${what} as this client knows it.`,
  });
}
