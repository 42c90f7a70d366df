import { readFile } from 'node:fs/promises';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../audit/checkpoint.ts';
import { parseTreeHash } from '../../audit/merkle-hash.ts';
import { verifyConsistency } from '../../audit/merkle-proof.ts';
import type { NoteVerifier } from '../../audit/note-key.ts';
import { parseSignedNote } from '../../audit/signed-note.ts';
import { QuasarError } from '../../core/errors.ts';
import { Fault } from '../../segment/fault.ts';
import { Attempts } from '../attempts.ts';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import { fileFault } from '../file-fault.ts';
import type { HttpClient } from '../http-client.ts';
import { type FilePlace, requireFilePlace } from '../output-place.ts';
import { ReplacedFile } from '../replaced-file.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';
import { readAnswer } from './read-answer.ts';
import { readTrustedKeys } from './trusted-keys.ts';

/** `quasar audit checkpoint`. Whoever keeps heads and sees each continue the last is what a log's owner cannot get round. */
export async function showCheckpoint(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  const given = flags.text('key');
  const trusted = given === undefined ? undefined : await readTrustedKeys(given);
  const file = flags.text('keep');
  const place = file === undefined ? undefined : await requireFilePlace(file);
  const kept = file === undefined ? undefined : await findNote(file);
  const note = await withClient(context, async (http) => {
    const attempts = new Attempts(context);
    const found = await attempts.run(() => readAnswer(http, '/v1/audit/checkpoint'));
    const head = readHead(found, trusted, 'The checkpoint of the server');
    if (kept === undefined) return found;
    const older = readHead(kept, trusted, `The checkpoint in ${file}`);
    await attempts.run(() => requireContinuation(http, older, head));
    return found;
  });
  if (place !== undefined) await writeNote(place, note);
  await terminal.print(note.trimEnd().split('\n').map(printable).join('\n'));
  return 0;
}

/** Believed without a signature when no key was given. @throws QuasarError `corrupt`. */
export function readHead(note: string, trusted: readonly NoteVerifier[] | undefined, name: string): Checkpoint {
  if (trusted !== undefined) {
    const opened = openCheckpoint(note, trusted);
    if (opened instanceof Fault) throw damaged(`${name} is not to be believed: ${opened.meaning}.`);
    if (opened.origin !== trusted[0]?.name) throw damaged(`${name} is of another log: ${opened.origin}.`);
    return opened;
  }
  const signed = parseSignedNote(note);
  const head = signed instanceof Fault ? signed : parseCheckpoint(signed.text);
  if (head instanceof Fault) throw damaged(`${name} is none: ${head.meaning}.`);
  return head;
}

async function requireContinuation(http: HttpClient, older: Checkpoint, newer: Checkpoint): Promise<void> {
  if (older.origin !== newer.origin) throw damaged(`The kept checkpoint is of ${older.origin}, the server's of ${newer.origin}.`);
  if (older.size > newer.size) {
    throw damaged(`The log has become shorter: ${older.size} events were signed, now ${newer.size} are.`);
  }
  const path = `/v1/audit/proofs/consistency?first=${older.size}&second=${newer.size}`;
  const { value } = await http.json({ method: 'GET', path });
  if (verifyConsistency(older, newer, parseProof(record(value).proof))) return;
  throw damaged(`The log of ${newer.size} events does not continue the one of ${older.size}: something in it was changed.`);
}

/** Hashes in Base64; what is none makes the proof fail. */
export function parseProof(value: unknown): readonly Uint8Array[] {
  if (!Array.isArray(value)) return [new Uint8Array()];
  return value.map((item) => (typeof item === 'string' ? parseTreeHash(item) : undefined) ?? new Uint8Array());
}

async function findNote(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileFault(cause, 'read', file);
  }
}

/** The one before is there until this one is. */
async function writeNote(place: FilePlace, note: string): Promise<void> {
  const file = await ReplacedFile.create(place);
  await file.write(Buffer.from(note));
  await file.complete();
}

function damaged(message: string): QuasarError {
  return new QuasarError('corrupt', { op: 'cli.audit', message });
}
