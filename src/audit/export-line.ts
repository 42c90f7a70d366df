import { Fault } from '../segment/fault.ts';
import { decodeBase64 } from './base64.ts';
import { decodeEvent, EventFault } from './event.ts';
import { parseTreeHash, type TreeHash, treeHashToBase64 } from './merkle-hash.ts';

/**
 * Lines of an exported log, each canonical JSON; docs/format/audit-v1.md section 8 is the specification. An event stands in
 * its line as its canonical text, so that people and tools can read it and its bytes are there to be hashed.
 */
export type ExportLine = HeaderLine | LeafLine | CheckpointLine;

export interface HeaderLine {
  readonly kind: 'header';
  readonly origin: string;
}

export interface LeafLine {
  readonly kind: 'leaf';
  /** From 0. */
  readonly leaf: number;
  readonly bytes: Uint8Array;
  /** What the log's tree holds for this leaf. Proves nothing by itself; tells which event of many was changed. */
  readonly hash: TreeHash;
}

/** Stands behind the last leaf it covers. */
export interface CheckpointLine {
  readonly kind: 'checkpoint';
  /** A signed note. */
  readonly note: string;
}

export const EXPORT_FORMAT = 'quasar-audit-export-1';

const HEADER = /^\{"format":"quasar-audit-export-1","origin":(".*")\}$/s;
const CHECKPOINT = /^\{"checkpoint":(".*")\}$/s;
// Greedy, so that whatever an event says of itself, the last such ending is the line's own.
const EVENT = /^\{"event":(.*),"hash":"([A-Za-z0-9+/=]{44})","leaf":(0|[1-9]\d{0,15})\}$/s;
const BYTES = /^\{"bytes":"([A-Za-z0-9+/=]*)","hash":"([A-Za-z0-9+/=]{44})","leaf":(0|[1-9]\d{0,15})\}$/;

/** Without its newline. */
export function formatExportLine(line: ExportLine): string {
  switch (line.kind) {
    case 'header':
      return `{"format":"${EXPORT_FORMAT}","origin":${JSON.stringify(line.origin)}}`;
    case 'leaf':
      return `{${contentOf(line.bytes)},"hash":"${treeHashToBase64(line.hash)}","leaf":${line.leaf}}`;
    case 'checkpoint':
      return `{"checkpoint":${JSON.stringify(line.note)}}`;
  }
}

/** Without its newline. Says nothing of what an event, a hash or a note is worth. */
export function parseExportLine(line: string): ExportLine | Fault {
  const [, event, eventHash = '', eventLeaf = ''] = EVENT.exec(line) ?? [];
  if (event !== undefined) return leafOf(Buffer.from(event, 'utf8'), eventHash, eventLeaf);
  const [, base64, bytesHash = '', bytesLeaf = ''] = BYTES.exec(line) ?? [];
  if (base64 !== undefined) return leafOf(decodeBase64(base64), bytesHash, bytesLeaf);
  const note = textOf(CHECKPOINT.exec(line)?.[1]);
  if (note !== undefined) return { kind: 'checkpoint', note };
  const origin = textOf(HEADER.exec(line)?.[1]);
  if (origin !== undefined) return { kind: 'header', origin };
  return new Fault('it is no line of an exported log');
}

/** Bytes that are not canonical JSON any more are exported too: the verification has to see them. */
function contentOf(bytes: Uint8Array): string {
  const event = decodeEvent(bytes);
  const opaque = event instanceof EventFault && event.kind === 'not-canonical';
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return opaque ? `"bytes":"${content.toString('base64')}"` : `"event":${content.toString('utf8')}`;
}

function leafOf(bytes: Uint8Array | undefined, hashText: string, leafText: string): LeafLine | Fault {
  const hash = parseTreeHash(hashText);
  const leaf = Number(leafText);
  if (bytes === undefined || hash === undefined) return new Fault('its Base64 is not as an encoder writes it');
  return Number.isSafeInteger(leaf) ? { kind: 'leaf', leaf, bytes, hash } : new Fault('its leaf number is too large');
}

/** Of a JSON string in its canonical form. */
function textOf(json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  try {
    const text: unknown = JSON.parse(json);
    return typeof text === 'string' && JSON.stringify(text) === json ? text : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
