import type { IncomingHttpHeaders } from 'node:http';
import { parseBlobKey } from '../core/digest.ts';
import type { Answer, HttpClient } from './http-client.ts';
import { wholeNumber } from './problem.ts';
import { unexpected } from './upload-client.ts';
import { assertDocument, documentPath } from './version-selector.ts';

/** What an answer with content says about it. */
export interface ContentFacts {
  readonly etag: string | undefined;
  /** SHA-256 of the whole content in hex. */
  readonly sha256: string | undefined;
  /** Size of the whole content. */
  readonly size: number;
  /** The bytes in this answer, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Path of a document's content, in the version of `selectorQuery`, or of a blob. @throws QuasarError `bad_parameter`, `usage`. */
export function contentPath(target: string, query: string): string {
  if (query !== '') assertDocument(target);
  return target.startsWith('b3:') ? `/v1/blobs/${parseBlobKey(target)}` : `${documentPath(target)}/content${query}`;
}

export async function headContent(http: HttpClient, path: string): Promise<ContentFacts> {
  const { headers, status } = await http.json({ method: 'HEAD', path, headers: { accept: '*/*' } });
  return contentFacts(headers, status);
}

/** Only the bytes of `range` (header syntax), and only of the content that has this ETag when one is given. */
export async function openContent(
  http: HttpClient,
  path: string,
  wish: { range: string | undefined; etag: string | undefined },
): Promise<{ facts: ContentFacts; body: Answer['body'] }> {
  const { range, etag } = wish;
  const { status, headers, body } = await http.send({
    method: 'GET',
    path,
    headers: {
      accept: '*/*',
      ...(range === undefined ? {} : { range: `bytes=${range}` }),
      ...(range === undefined || etag === undefined ? {} : { 'if-range': etag }),
    },
  });
  try {
    return { facts: contentFacts(headers, status), body };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function contentFacts(headers: IncomingHttpHeaders, status: number): ContentFacts {
  const { etag } = headers;
  const sha256 = sha256Of(headers['repr-digest']);
  const length = wholeNumber(headers['content-length']);
  if (status === 206) {
    const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers['content-range'] ?? '');
    if (match === null) throw unexpected('a range');
    const [, first, last, size] = match.map(Number) as [number, number, number, number];
    return { etag, sha256, size, start: first, end: last + 1 };
  }
  if (status !== 200 || length === undefined) throw unexpected('content');
  return { etag, sha256, size: length, start: 0, end: length };
}

/** RFC 9530: `sha-256=:base64:`, possibly among others. */
function sha256Of(header: string | string[] | undefined): string | undefined {
  const base64 = typeof header === 'string' ? /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header)?.[1] : undefined;
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
}

/** The key that a strong ETag of ours stands for. */
export function keyOfEtag(etag: string | undefined): string | undefined {
  const hex = /^"b3-([0-9a-f]{64})"$/.exec(etag ?? '')?.[1];
  return hex === undefined ? undefined : `b3:${hex}`;
}
