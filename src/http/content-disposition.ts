import { Buffer } from 'node:buffer';

/**
 * File names between HTTP and the world. A stored name is what the client sent, since it may matter later; a name we
 * send is made harmless first: no path, no control or direction characters, nothing Windows reads as a device.
 */
export function contentDisposition(kind: 'inline' | 'attachment', filename: string | undefined): string {
  if (filename === undefined) return kind;
  const safe = harmlessFilename(filename);
  const plain = safe.replace(/[^\x20-\x7e]/gu, '_').replace(/["\\%]/g, '_');
  const quoted = `${kind}; filename="${plain}"`;
  // RFC 6266 4.3: the extended form only where the plain one loses something.
  return plain === safe ? quoted : `${quoted}; filename*=UTF-8''${extendedValue(safe)}`;
}

/** What may be offered to a browser or written to a disk under this name. Never empty. */
export function harmlessFilename(filename: string): string {
  const last =
    filename
      .replace(/\p{Cs}/gu, '_')
      .normalize('NFC')
      .split(/[/\\]/)
      .at(-1) ?? '';
  const cleaned = last
    .replace(INVISIBLE, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/^[ .]+|[ .]+$/g, '');
  const named = WINDOWS_DEVICE.test(cleaned) ? `_${cleaned}` : cleaned;
  return named === '' ? 'download' : shorten(named, SENT_NAME_MAX);
}

/** The file name of a Content-Disposition header a client sent; `filename*` goes first. Undefined when there is none. */
export function filenameOfDisposition(header: string): string | undefined {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header)?.[1];
  if (extended !== undefined) {
    const decoded = decodePercent(extended);
    if (decoded !== undefined) return decoded;
  }
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(header);
  return plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2];
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** RFC 8187 attr-char stay, all other bytes are percent-encoded. */
function extendedValue(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Keeps the extension; file systems take at most 255 bytes. */
function shorten(name: string, bytesMax: number): string {
  if (Buffer.byteLength(name) <= bytesMax) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  let kept = '';
  let size = extension.length;
  for (const char of name.slice(0, name.length - extension.length)) {
    size += Buffer.byteLength(char);
    if (size > bytesMax) break;
    kept += char;
  }
  return kept + extension;
}

const SENT_NAME_MAX = 255;
/** Control and format characters (direction overrides among them), line and paragraph separators, private use. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\..*)?$/i;
