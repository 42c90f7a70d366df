import { assert } from '../core/assert.ts';
import { isId, type OrgId, parseId } from '../core/ids.ts';
import { Fault } from '../segment/fault.ts';
import { parseTreeHash, type TreeHash, treeHashToBase64 } from './merkle-hash.ts';
import { isNoteKeyName, type NoteSigner, type NoteVerifier } from './note-key.ts';
import { parseSignedNote, signNote, type VerifiedNote, verifyNote } from './signed-note.ts';
import { isTimestamp } from './timestamp.ts';

/**
 * The head of an audit log at some size (C2SP tlog-checkpoint): the text of a signed note in four lines.
 *
 *     <origin>
 *     <leaves, decimal>
 *     <root, Base64>
 *     time <RFC 3339 with milliseconds>
 *
 * The last is an extension line: when the log says it was signed. Nothing else can confirm it, so it is a hint for people.
 */
export interface Checkpoint {
  /** Which log: `quasar/<org id>`. Also the name of the key that signs. */
  readonly origin: string;
  /** Leaves the root is over. */
  readonly size: number;
  readonly root: TreeHash;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
}

export interface OpenCheckpoint extends Checkpoint {
  readonly note: VerifiedNote;
}

const ORIGIN_HEAD = 'quasar/';
const SIZE = /^(0|[1-9]\d{0,15})$/;

export function originOf(orgId: OrgId): string {
  return `${ORIGIN_HEAD}${orgId}`;
}

/** Of a log of ours; undefined for any other origin. */
export function orgOfOrigin(origin: string): OrgId | undefined {
  const id = origin.startsWith(ORIGIN_HEAD) ? origin.slice(ORIGIN_HEAD.length) : '';
  return isId(id) ? parseId<OrgId>(id, 'origin') : undefined;
}

export function formatCheckpoint({ origin, size, root, time }: Checkpoint): string {
  assert(isNoteKeyName(origin), 'an origin has neither spaces nor plus signs');
  assert(Number.isSafeInteger(size) && size >= 0, 'a size is a whole number below 2^53');
  assert(isTimestamp(time), 'a time is RFC 3339 with milliseconds');
  return `${origin}\n${size}\n${treeHashToBase64(root)}\ntime ${time}\n`;
}

export function parseCheckpoint(text: string): Checkpoint | Fault {
  const [origin = '', sizeText = '', rootText = '', timeLine = '', ...rest] = text.split('\n');
  if (rest.length !== 1 || rest[0] !== '') return new Fault('a checkpoint has four lines');
  if (!isNoteKeyName(origin)) return new Fault('the origin has a space, a plus sign or no character');
  const size = SIZE.test(sizeText) ? Number(sizeText) : Number.NaN;
  if (!Number.isSafeInteger(size)) return new Fault('the size is no decimal number below 2^53');
  const root = parseTreeHash(rootText);
  if (root === undefined) return new Fault('the root is not Base64 of 32 bytes');
  const time = timeLine.startsWith('time ') ? timeLine.slice('time '.length) : '';
  if (!isTimestamp(time)) return new Fault('the fourth line is no time');
  return { origin, size, root, time };
}

/** The signer's name is the checkpoint's origin. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  assert(signer.name === checkpoint.origin, 'a log signs under its origin');
  return signNote(formatCheckpoint(checkpoint), [signer]);
}

/** Why a text is no checkpoint to believe. */
export class CheckpointFault extends Fault {
  readonly kind: 'bad-checkpoint' | 'bad-signature';

  constructor(kind: 'bad-checkpoint' | 'bad-signature', meaning: string) {
    super(meaning);
    this.kind = kind;
  }
}

/** Believes a checkpoint only when a trusted key of the origin's name signed it: other trusted keys are witnesses. */
export function openCheckpoint(text: string, trusted: readonly NoteVerifier[]): OpenCheckpoint | CheckpointFault {
  const parsed = parseSignedNote(text);
  if (parsed instanceof Fault) return new CheckpointFault('bad-checkpoint', parsed.meaning);
  const note = verifyNote(parsed, trusted);
  if (note instanceof Fault) return new CheckpointFault('bad-signature', note.meaning);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint instanceof Fault) return new CheckpointFault('bad-checkpoint', checkpoint.meaning);
  if (note.signers.some(({ name }) => name === checkpoint.origin)) return { ...checkpoint, note };
  return new CheckpointFault('bad-signature', `no trusted key of ${checkpoint.origin} signed the checkpoint`);
}
