import type { ByteRange } from './range.ts';

/** A piece of the body: a range of the blob, or text between ranges. */
export type MultipartPiece = ByteRange | { readonly text: string };

export interface MultipartPlan {
  readonly contentType: string;
  readonly pieces: readonly MultipartPiece[];
  /** Bytes of all pieces together. */
  readonly size: number;
}

export interface MultipartOptions {
  readonly ranges: readonly ByteRange[];
  /** Of the whole representation. */
  readonly size: number;
  /** Media type of the representation; printable ASCII. */
  readonly contentType: string;
  /** Must not occur in the content: 128 random bits in hex do. */
  readonly boundary: string;
}

/** Lays out a multipart/byteranges body (RFC 9110 14.6) before the first byte is sent, so that its length is known. */
export function planMultipart({ ranges, size, contentType, boundary }: MultipartOptions): MultipartPlan {
  const pieces: MultipartPiece[] = [];
  let total = 0;
  for (const range of ranges) {
    const text = `${pieces.length === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    pieces.push({ text }, range);
    total += text.length + range.end - range.start;
  }
  const text = `\r\n--${boundary}--\r\n`;
  pieces.push({ text });
  return { contentType: `multipart/byteranges; boundary=${boundary}`, pieces, size: total + text.length };
}

/** The value of Content-Range for one range. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.end - 1}/${size}`;
}
