import { isUtf8 } from 'node:buffer';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

const OCTETS = 'application/octet-stream';

/**
 * The media type to store: what the client declared, or, where it declared nothing in particular (absent, octet-stream,
 * or the form type curl sends by itself), what the first bytes look like.
 * @throws QuasarError `unsupported_media_type` for a declaration that is no media type.
 */
export function mediaTypeOf(declared: string | undefined, firstBytes: Uint8Array): string {
  const type = declared?.trim() ?? '';
  if (type === '' || UNSPECIFIC.test(type)) return sniffMediaType(firstBytes);
  if (type.length > limits.contentTypeMax || !MEDIA_TYPE.test(type)) {
    throw new QuasarError('unsupported_media_type', {
      op: 'http.mediaType',
      message: `Content-Type must be a media type of at most ${limits.contentTypeMax} characters.`,
    });
  }
  return type;
}

/**
 * Recognises the formats records offices scan and file. Never yields a type a browser would run: HTML comes out as
 * text/plain, and SVG as XML, which we serve as a file to save.
 */
export function sniffMediaType(bytes: Uint8Array): string {
  for (const { magic, at, type } of SIGNATURES) {
    if (startsWith(bytes, magic, at ?? 0)) return type;
  }
  if (startsWith(bytes, 'PK\x03\x04', 0)) return archiveType(bytes);
  if (startsWith(bytes, 'RIFF', 0) && startsWith(bytes, 'WEBP', 8)) return 'image/webp';
  return textType(bytes);
}

/** Office formats are ZIP archives; their first entries say which one. */
function archiveType(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, ARCHIVE_HEAD)).toString('latin1');
  // OpenDocument and EPUB store their type as the first entry, uncompressed, behind a header of 30 bytes.
  const declared = /^.{30}mimetype(application\/(?:vnd\.oasis\.opendocument\.[a-z-]{1,32}|epub\+zip))PK/s.exec(head)?.[1];
  if (declared !== undefined) return declared;
  if (!head.includes('[Content_Types].xml') && !head.includes('_rels/.rels')) return 'application/zip';
  if (head.includes('word/')) return `${OFFICE}.wordprocessingml.document`;
  if (head.includes('xl/')) return `${OFFICE}.spreadsheetml.sheet`;
  if (head.includes('ppt/')) return `${OFFICE}.presentationml.presentation`;
  return 'application/zip';
}

function textType(bytes: Uint8Array): string {
  const head = bytes.subarray(0, TEXT_HEAD);
  if (head.byteLength === 0 || head.some(isBinary) || !isUtf8(Uint8Array.from(wholeCharacters(head)))) return OCTETS;
  const text = Buffer.from(head.subarray(0, XML_HEAD)).toString();
  return /^\s*<\?xml\s/.test(text) ? 'application/xml' : 'text/plain; charset=utf-8';
}

/** Control characters that no text holds. Most binary data has one within its first bytes. */
function isBinary(byte: number): boolean {
  return byte < 0x20 ? byte < 0x08 || (byte > 0x0d && byte !== 0x1b) : byte === 0x7f;
}

/** Without a last character that the sample may have cut. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back] as number;
    if (byte < 0x80) return bytes;
    if (byte >= 0xc0) return bytes.subarray(0, bytes.byteLength - back);
  }
  return bytes;
}

function startsWith(bytes: Uint8Array, magic: string, at: number): boolean {
  if (bytes.byteLength < at + magic.length) return false;
  for (let index = 0; index < magic.length; index++) {
    if (bytes[at + index] !== magic.charCodeAt(index)) return false;
  }
  return true;
}

const SIGNATURES: readonly { readonly magic: string; readonly at?: number; readonly type: string }[] = [
  { magic: '%PDF-', type: 'application/pdf' },
  { magic: 'II*\0', type: 'image/tiff' },
  { magic: 'MM\0*', type: 'image/tiff' },
  // BigTIFF
  { magic: 'II+\0', type: 'image/tiff' },
  { magic: 'MM\0+', type: 'image/tiff' },
  { magic: '\xff\xd8\xff', type: 'image/jpeg' },
  { magic: '\x89PNG\r\n\x1a\n', type: 'image/png' },
  { magic: 'GIF87a', type: 'image/gif' },
  { magic: 'GIF89a', type: 'image/gif' },
  { magic: '\0\0\0\x0cjP  \r\n\x87\n', type: 'image/jp2' },
  { magic: '\x1f\x8b\x08', type: 'application/gzip' },
  { magic: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', type: 'application/x-ole-storage' },
];

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const ARCHIVE_HEAD = 8192;
const TEXT_HEAD = 8192;
const UNSPECIFIC = /^application\/(?:octet-stream|x-www-form-urlencoded)\s*(?:;|$)/i;
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))*$/;
const XML_HEAD = 64;
