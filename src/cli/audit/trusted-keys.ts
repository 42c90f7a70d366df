import { readFile } from 'node:fs/promises';
import { type NoteVerifier, parseNoteVerifier } from '../../audit/note-key.ts';
import { Fault } from '../../segment/fault.ts';
import { fileFault } from '../file-fault.ts';
import { usage } from '../flags.ts';

/** The keys of `--key`: one as it is written, or those of a file, one a line; the log's own is the first. @throws QuasarError `usage`, `file_unreadable`. */
export async function readTrustedKeys(given: string): Promise<readonly [NoteVerifier, ...NoteVerifier[]]> {
  const key = parseNoteVerifier(given);
  if (!(key instanceof Fault)) return [key];
  const text = await readFile(given, 'utf8').catch((cause) => {
    throw fileFault(cause, 'read', given);
  });
  const [first, ...others] = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseLine(line.trim(), given));
  if (first === undefined) throw usage(`${given} holds no key.`);
  return [first, ...others];
}

function parseLine(line: string, file: string): NoteVerifier {
  const key = parseNoteVerifier(line);
  if (key instanceof Fault) throw usage(`${file} holds a line that is no key: ${key.meaning}.`);
  return key;
}
