import { QuasarError } from '../core/errors.ts';
import type { Exchange } from './edge.ts';

/** SHA-256 digests a client announced in headers, as 64 hex digits. */
export interface AnnouncedInHeaders {
  /** Of the whole representation (`Repr-Digest`). */
  readonly repr: string | undefined;
  /** Of the bytes of this request (`Content-Digest`, `x-amz-checksum-sha256`). */
  readonly content: string | undefined;
}

/**
 * Reads RFC 9530 fields and their S3 cousin. Algorithms other than sha-256 are ignored; a value that cannot be read is
 * refused, never ignored, since the client believes its bytes to be checked.
 * @throws QuasarError `bad_parameter`.
 */
export function parseDigestHeaders(exchange: Pick<Exchange, 'header'>): AnnouncedInHeaders {
  const content = parseDigestField('Content-Digest', exchange.header('content-digest'));
  const amazon = parseAmazonChecksum(exchange.header('x-amz-checksum-sha256'));
  if (content !== undefined && amazon !== undefined && content !== amazon) {
    throw malformed('x-amz-checksum-sha256', 'Content-Digest and x-amz-checksum-sha256 announce different digests.');
  }
  return { repr: parseDigestField('Repr-Digest', exchange.header('repr-digest')), content: content ?? amazon };
}

/** A dictionary of byte sequences (RFC 8941 3.2): `sha-256=:BASE64:, sha-512=:BASE64:`. */
function parseDigestField(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  let found: string | undefined;
  for (const member of value.split(',')) {
    const match = MEMBER.exec(member.trim());
    if (match === null) throw malformed(name, `${name} must look like sha-256=:BASE64:.`);
    if (match[1] !== 'sha-256') continue;
    const digest = decodeSha256(name, match[2] as string);
    if (found !== undefined && found !== digest) throw malformed(name, `${name} announces two different sha-256 digests.`);
    found = digest;
  }
  return found;
}

function parseAmazonChecksum(value: string | undefined): string | undefined {
  return value === undefined ? undefined : decodeSha256('x-amz-checksum-sha256', value);
}

/** Only the canonical spelling: two spellings of one digest would be two ways to be misread. */
function decodeSha256(name: string, base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.byteLength !== 32 || bytes.toString('base64') !== base64) {
    throw malformed(name, `${name} must hold the 32 bytes of a SHA-256 in base64.`);
  }
  return bytes.toString('hex');
}

function malformed(parameter: string, message: string): QuasarError {
  return new QuasarError('bad_parameter', { op: 'http.parseDigests', message, details: { parameter } });
}

const MEMBER = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):(?:;.*)?$/;
