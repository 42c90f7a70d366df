import { crc32 } from 'node:zlib';
import type { BlockId } from '../core/digest.ts';
import { Fault } from './fault.ts';
import {
  alignUp,
  FORMAT_VERSION,
  MANIFEST_ACCEPT,
  MANIFEST_ALIGNMENT,
  MANIFEST_CREATE,
  MANIFEST_DAMAGE,
  MANIFEST_DROP,
  MANIFEST_ENTRY_SIZE_MAX,
  MANIFEST_HEADER,
  MANIFEST_LOST,
  MANIFEST_MAGIC,
  MANIFEST_REASON_MAX,
  MANIFEST_REPLACE,
  MANIFEST_REPLACED_MAX,
  MANIFEST_SEAL,
  MANIFEST_SUSPECT,
  MANIFEST_WHOLE,
  type ManifestKind,
  manifestKinds,
  type Structure,
} from './format.ts';
import { getU64, isZero, putU64, viewOf } from './little-endian.ts';

/** One entry of a node's MANIFEST: the history of its segments. */
export type ManifestEntry =
  | CreateEntry
  | SealEntry
  | ReplaceEntry
  | { readonly kind: 'drop'; readonly segment: number }
  | SuspectEntry
  | DamageEntry
  | { readonly kind: 'accept'; readonly reason: string }
  | WholeEntry
  | LostEntry;

/** The segment's superblock is durable; from here on acknowledged records may lie in it. */
export interface CreateEntry {
  readonly kind: 'create';
  readonly segment: number;
  readonly salt: bigint;
}

/** The footer is durable; the file is never written again. */
export interface SealEntry {
  readonly kind: 'seal';
  readonly segment: number;
  readonly fileSize: number;
  readonly recordBytes: number;
  readonly count: number;
  /** 32 bytes in hex. */
  readonly root: string;
}

/** `segment` now holds whatever was alive in `replaced`. */
export interface ReplaceEntry {
  readonly kind: 'replace';
  readonly segment: number;
  readonly replaced: readonly number[];
}

/** A write to the segment (0: to the node) failed. The reason is cut to `MANIFEST_REASON_MAX` bytes. */
export interface SuspectEntry {
  readonly kind: 'suspect';
  readonly segment: number;
  readonly reason: string;
}

/** The record at `offset` no longer matches its id. */
export interface DamageEntry {
  readonly kind: 'damage';
  readonly segment: number;
  readonly offset: number;
  readonly id: BlockId;
  readonly reason: string;
}

/** The record at `offset` was read again and matches its id: earlier marks of damage at this place are history. */
export interface WholeEntry {
  readonly kind: 'whole';
  readonly segment: number;
  readonly offset: number;
  readonly id: BlockId;
}

/** An operator gave up a segment that is not there: the node works without it, and reads it again should it return. */
export interface LostEntry {
  readonly kind: 'lost';
  readonly segment: number;
  readonly reason: string;
}

export interface NumberedEntry {
  /** 1, 2, 3 … without gaps. */
  readonly number: number;
  readonly timeMs: number;
  readonly entry: ManifestEntry;
}

const HEADER = MANIFEST_HEADER.fields;
const kindNames = new Map<number, ManifestKind>(
  Object.entries(manifestKinds).map(([name, code]) => [code, name as ManifestKind]),
);

export function encodeManifestEntry({ number, timeMs, entry }: NumberedEntry): Buffer {
  const body = encodeBody(entry);
  const bytes = Buffer.alloc(MANIFEST_HEADER.size + alignUp(body.byteLength, MANIFEST_ALIGNMENT));
  const view = viewOf(bytes);
  view.setUint32(HEADER.magic.at, MANIFEST_MAGIC, true);
  view.setUint8(HEADER.version.at, FORMAT_VERSION);
  view.setUint8(HEADER.kind.at, manifestKinds[entry.kind]);
  view.setUint32(HEADER.size.at, bytes.byteLength, true);
  putU64(view, HEADER.number.at, number);
  putU64(view, HEADER.time.at, timeMs);
  bytes.set(body, MANIFEST_HEADER.size);
  view.setUint32(HEADER.crc.at, entryCrc(bytes), true);
  return bytes;
}

/** Decodes the entry that begins at the first of `bytes`; `size` is what it takes. */
export function decodeManifestEntry(bytes: Buffer): { numbered: NumberedEntry; size: number } | Fault {
  if (bytes.byteLength < MANIFEST_HEADER.size) return new Fault('the file ends inside an entry');
  const view = viewOf(bytes);
  if (view.getUint32(HEADER.magic.at, true) !== MANIFEST_MAGIC) return new Fault('there is no entry magic');
  const size = view.getUint32(HEADER.size.at, true);
  if (size < MANIFEST_HEADER.size || size > MANIFEST_ENTRY_SIZE_MAX || size % MANIFEST_ALIGNMENT !== 0)
    return new Fault(`an entry claims ${size} bytes`);
  if (size > bytes.byteLength) return new Fault('the file ends inside an entry');
  const whole = bytes.subarray(0, size);
  if (view.getUint32(HEADER.crc.at, true) !== entryCrc(whole)) return new Fault('the checksum of an entry does not match');
  if (view.getUint8(HEADER.version.at) !== FORMAT_VERSION)
    return new Fault(`an entry has format version ${view.getUint8(HEADER.version.at)}`);
  const kind = kindNames.get(view.getUint8(HEADER.kind.at));
  if (kind === undefined) return new Fault(`an entry is of unknown kind ${view.getUint8(HEADER.kind.at)}`);
  if (!isZero(bytes.subarray(HEADER.reserved.at, HEADER.reserved.at + HEADER.reserved.size)))
    return new Fault('reserved bytes of an entry are not zero');
  const entry = decodeBody(kind, whole.subarray(MANIFEST_HEADER.size));
  if (entry === undefined) return new Fault(`an entry of kind ${kind} has an impossible body`);
  return { numbered: { number: getU64(view, HEADER.number.at), timeMs: getU64(view, HEADER.time.at), entry }, size };
}

export interface ManifestContent {
  readonly entries: readonly NumberedEntry[];
  /** Bytes of the entries up to the first that is none. */
  readonly end: number;
  /** Why the bytes behind `end` are no entry; undefined when there are none. */
  readonly fault: string | undefined;
  /** True when good entries follow behind the fault: that is damage. A torn tail was never acknowledged. */
  readonly damaged: boolean;
}

export function decodeManifest(bytes: Buffer): ManifestContent {
  const entries: NumberedEntry[] = [];
  let end = 0;
  while (end < bytes.byteLength) {
    const decoded = decodeManifestEntry(bytes.subarray(end));
    const fault = decoded instanceof Fault ? decoded : checkNumber(decoded.numbered, entries.length + 1);
    if (decoded instanceof Fault || fault !== undefined) {
      return { entries, end, fault: fault?.meaning, damaged: hasEntryBehind(bytes, end, entries.length) };
    }
    entries.push(decoded.numbered);
    end += decoded.size;
  }
  return { entries, end, fault: undefined, damaged: false };
}

function checkNumber(numbered: NumberedEntry, expected: number): Fault | undefined {
  return numbered.number === expected ? undefined : new Fault(`entry ${numbered.number} stands where entry ${expected} should`);
}

function hasEntryBehind(bytes: Buffer, end: number, count: number): boolean {
  for (let at = end; at < bytes.byteLength; at += MANIFEST_ALIGNMENT) {
    const decoded = decodeManifestEntry(bytes.subarray(at));
    if (!(decoded instanceof Fault) && decoded.numbered.number > count) return true;
  }
  return false;
}

/** Everything but the checksum itself. */
function entryCrc(bytes: Uint8Array): number {
  const before = crc32(bytes.subarray(0, HEADER.crc.at));
  return crc32(bytes.subarray(HEADER.crc.at + HEADER.crc.size), before);
}

function encodeBody(entry: ManifestEntry): Buffer {
  switch (entry.kind) {
    case 'create':
      return encodeCreate(entry);
    case 'seal':
      return encodeSeal(entry);
    case 'replace':
      return encodeReplace(entry);
    case 'drop':
      return segmentBody(MANIFEST_DROP, entry.segment);
    case 'suspect':
      return withReason(segmentBody(MANIFEST_SUSPECT, entry.segment), MANIFEST_SUSPECT.fields.reasonSize.at, entry.reason);
    case 'damage':
      return encodeDamage(entry);
    case 'accept':
      return withReason(Buffer.alloc(MANIFEST_ACCEPT.size), MANIFEST_ACCEPT.fields.reasonSize.at, entry.reason);
    case 'whole':
      return recordBody(MANIFEST_WHOLE, entry);
    case 'lost':
      return withReason(segmentBody(MANIFEST_LOST, entry.segment), MANIFEST_LOST.fields.reasonSize.at, entry.reason);
  }
}

/** Every body that names a segment has it first. */
function segmentBody(structure: Structure, segment: number): Buffer {
  const body = Buffer.alloc(structure.size);
  putU64(viewOf(body), 0, segment);
  return body;
}

function encodeCreate(entry: CreateEntry): Buffer {
  const body = segmentBody(MANIFEST_CREATE, entry.segment);
  body.writeBigUInt64LE(entry.salt, MANIFEST_CREATE.fields.salt.at);
  return body;
}

function encodeSeal(entry: SealEntry): Buffer {
  const AT = MANIFEST_SEAL.fields;
  const body = segmentBody(MANIFEST_SEAL, entry.segment);
  const view = viewOf(body);
  putU64(view, AT.fileSize.at, entry.fileSize);
  putU64(view, AT.recordBytes.at, entry.recordBytes);
  view.setUint32(AT.count.at, entry.count, true);
  body.write(entry.root, AT.root.at, AT.root.size, 'hex');
  return body;
}

function encodeReplace(entry: ReplaceEntry): Buffer {
  const { replaced } = entry;
  const body = Buffer.alloc(MANIFEST_REPLACE.size + replaced.length * 8);
  const view = viewOf(body);
  putU64(view, MANIFEST_REPLACE.fields.segment.at, entry.segment);
  view.setUint32(MANIFEST_REPLACE.fields.count.at, replaced.length, true);
  for (const [index, segment] of replaced.entries()) putU64(view, MANIFEST_REPLACE.size + index * 8, segment);
  return body;
}

function encodeDamage(entry: DamageEntry): Buffer {
  return withReason(recordBody(MANIFEST_DAMAGE, entry), MANIFEST_DAMAGE.fields.reasonSize.at, entry.reason);
}

/** Bodies that name a record begin alike. */
function recordBody(structure: Structure, { segment, offset, id }: DamageEntry | WholeEntry): Buffer {
  const AT = MANIFEST_WHOLE.fields;
  const body = segmentBody(structure, segment);
  putU64(viewOf(body), AT.offset.at, offset);
  body.write(id, AT.id.at, AT.id.size, 'hex');
  return body;
}

function withReason(body: Buffer, sizeAt: number, reason: string): Buffer {
  const text = cutText(reason);
  body.writeUInt32LE(text.byteLength, sizeAt);
  return Buffer.concat([body, text]);
}

/** At most `MANIFEST_REASON_MAX` bytes, never half a character. */
function cutText(text: string): Buffer {
  const bytes = Buffer.alloc(MANIFEST_REASON_MAX);
  return bytes.subarray(0, bytes.write(text));
}

function decodeBody(kind: ManifestKind, body: Buffer): ManifestEntry | undefined {
  if (body.byteLength < BODIES[kind].size) return undefined;
  const view = viewOf(body);
  const segment = getU64(view, 0);
  switch (kind) {
    case 'create':
      return (
        exact(body, MANIFEST_CREATE.size) && { kind, segment, salt: view.getBigUint64(MANIFEST_CREATE.fields.salt.at, true) }
      );
    case 'seal':
      return exact(body, MANIFEST_SEAL.size) && decodeSeal(body, view, segment);
    case 'replace':
      return decodeReplace(body, view, segment);
    case 'drop':
      return exact(body, MANIFEST_DROP.size) && { kind, segment };
    case 'suspect': {
      const reason = decodeReason(body, MANIFEST_SUSPECT, MANIFEST_SUSPECT.fields.reasonSize.at);
      return reason === undefined ? undefined : { kind, segment, reason };
    }
    case 'damage':
      return decodeDamage(body, view, segment);
    case 'accept': {
      const reason = decodeReason(body, MANIFEST_ACCEPT, MANIFEST_ACCEPT.fields.reasonSize.at);
      return reason === undefined ? undefined : { kind, reason };
    }
    case 'whole':
      return exact(body, MANIFEST_WHOLE.size) && { kind, segment, ...decodeRecordPlace(body, view) };
    case 'lost': {
      const reason = decodeReason(body, MANIFEST_LOST, MANIFEST_LOST.fields.reasonSize.at);
      return reason === undefined ? undefined : { kind, segment, reason };
    }
  }
}

const BODIES: Record<ManifestKind, Structure> = {
  create: MANIFEST_CREATE,
  seal: MANIFEST_SEAL,
  replace: MANIFEST_REPLACE,
  drop: MANIFEST_DROP,
  suspect: MANIFEST_SUSPECT,
  damage: MANIFEST_DAMAGE,
  accept: MANIFEST_ACCEPT,
  whole: MANIFEST_WHOLE,
  lost: MANIFEST_LOST,
};

/** The body is `size` bytes and nothing but zeros up to the next entry. */
function exact(body: Buffer, size: number): true | undefined {
  return body.byteLength === alignUp(size, MANIFEST_ALIGNMENT) && isZero(body.subarray(size)) ? true : undefined;
}

function decodeSeal(body: Buffer, view: DataView, segment: number): SealEntry {
  const AT = MANIFEST_SEAL.fields;
  return {
    kind: 'seal',
    segment,
    fileSize: getU64(view, AT.fileSize.at),
    recordBytes: getU64(view, AT.recordBytes.at),
    count: view.getUint32(AT.count.at, true),
    root: body.toString('hex', AT.root.at, AT.root.at + AT.root.size),
  };
}

function decodeReplace(body: Buffer, view: DataView, segment: number): ReplaceEntry | undefined {
  const count = view.getUint32(MANIFEST_REPLACE.fields.count.at, true);
  if (count > MANIFEST_REPLACED_MAX || !exact(body, MANIFEST_REPLACE.size + count * 8)) return undefined;
  const replaced = Array.from({ length: count }, (_, index) => getU64(view, MANIFEST_REPLACE.size + index * 8));
  return { kind: 'replace', segment, replaced };
}

function decodeDamage(body: Buffer, view: DataView, segment: number): DamageEntry | undefined {
  const reason = decodeReason(body, MANIFEST_DAMAGE, MANIFEST_DAMAGE.fields.reasonSize.at);
  return reason === undefined ? undefined : { kind: 'damage', segment, ...decodeRecordPlace(body, view), reason };
}

function decodeRecordPlace(body: Buffer, view: DataView): { offset: number; id: BlockId } {
  const AT = MANIFEST_WHOLE.fields;
  const id = body.toString('hex', AT.id.at, AT.id.at + AT.id.size) as BlockId;
  return { offset: getU64(view, AT.offset.at), id };
}

function decodeReason(body: Buffer, structure: Structure, sizeAt: number): string | undefined {
  const size = body.readUInt32LE(sizeAt);
  if (size > MANIFEST_REASON_MAX || !exact(body, structure.size + size)) return undefined;
  return body.toString('utf8', structure.size, structure.size + size);
}
