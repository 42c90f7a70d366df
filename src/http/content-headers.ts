import { type BlobKey, blake3Of, type Sha256 } from '../core/digest.ts';
import { contentDisposition } from './content-disposition.ts';
import { isWritableHeaderValue } from './request-guard.ts';

export interface ContentFacts {
  readonly key: BlobKey;
  readonly sha256: Sha256;
  readonly contentType: string;
  readonly filename: string | undefined;
}

/** Strong: the digest of the bytes. */
export function etagOf(key: BlobKey): string {
  return `"b3-${blake3Of(key)}"`;
}

/** What goes with 200, 206 and HEAD alike, but for Content-Type and Content-Range. Flat: name, value. */
export function contentHeaders(facts: ContentFacts): string[] {
  const type = essenceOf(facts.contentType);
  const kind = INLINE.has(type) ? 'inline' : 'attachment';
  const headers = [
    ...validatorHeaders(facts),
    'Repr-Digest',
    `sha-256=:${Buffer.from(facts.sha256, 'hex').toString('base64')}:`,
    'Accept-Ranges',
    'bytes',
    'Content-Disposition',
    contentDisposition(kind, facts.filename),
    'X-Content-Type-Options',
    'nosniff',
  ];
  // Browsers do not show a PDF in a sandbox; their viewers bring one of their own.
  if (type !== 'application/pdf') headers.push('Content-Security-Policy', "default-src 'none'; sandbox");
  return headers;
}

/** What a 304 repeats (RFC 9110 15.4.5). */
export function validatorHeaders({ key }: Pick<ContentFacts, 'key'>): string[] {
  return ['ETag', etagOf(key), ...PER_CALLER];
}

/** The stored media type as it may be written into a header. */
export function contentTypeHeader(contentType: string): string {
  return contentType !== '' && isWritableHeaderValue(contentType) ? contentType : 'application/octet-stream';
}

function essenceOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/**
 * Who may read is decided per request, and changes: shared caches must not keep answers, and those of one caller must ask
 * each time, also where the URL names a version or a blob, whose bytes never change. Flat: name, value.
 */
export const PER_CALLER: readonly string[] = ['Cache-Control', 'private, no-cache', 'Vary', 'Authorization'];

/** Types a browser shows without running anything of theirs. All others are offered as a file. */
const INLINE: ReadonlySet<string> = new Set([
  'application/pdf',
  'image/bmp',
  'image/gif',
  'image/jp2',
  'image/jpeg',
  'image/png',
  'image/tiff',
  'image/webp',
  'text/plain',
]);
