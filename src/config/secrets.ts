import { constants } from 'node:fs';
import { type FileHandle, link, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { makeFolder, syncFolder } from '../disk/durable-folder.ts';
import { Secret } from './secret.ts';

/**
 * Secrets: one file each, text, in a folder of their own. Only their owner may read them, and the owner is us.
 */
export interface SecretPlace {
  readonly directory: string;
  readonly name: string;
}

const PLACEHOLDER = 'CHANGE-ME';
const OP = 'config.readSecret';

/** @throws QuasarError `config_invalid` when it is missing, empty, still the placeholder, or others may read it. */
export async function readSecret(place: SecretPlace): Promise<Secret> {
  const secret = await findSecret(place);
  if (secret === undefined) throw missing(place);
  return secret;
}

/** Undefined when there is no such file. @throws QuasarError `config_invalid` as `readSecret`. */
export async function findSecret(place: SecretPlace): Promise<Secret | undefined> {
  const text = await findText(place);
  return text === undefined ? undefined : new Secret(checkText(place, text));
}

/** The same for a file that may hold anything: its reader says what that means. */
export async function findAnySecret(place: SecretPlace): Promise<Secret | undefined> {
  const text = await findText(place);
  return text === undefined ? undefined : new Secret(withoutNewline(text));
}

async function findText(place: SecretPlace): Promise<string | undefined> {
  const path = pathOf(place);
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    const facts = await handle.stat();
    checkOwner(path, facts);
    if (facts.size > limits.secretFileMax) throw invalid(`The secret ${path} is larger than ${limits.secretFileMax} bytes.`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Reads the secret, or makes it first: `size` random bytes in base64url. As `ensureSecretText`. */
export function ensureSecret(place: SecretPlace, size: number, clock: Clock): Promise<Secret> {
  return ensureSecretText(place, () => Buffer.from(clock.random(size)).toString('base64url'), clock);
}

/**
 * Reads the secret, or writes what `make` says first. Of two processes that make it at the same time both get the same one;
 * a crash leaves a whole secret or none.
 */
export async function ensureSecretText(place: SecretPlace, make: () => string, clock: Clock): Promise<Secret> {
  const found = await findSecret(place);
  if (found !== undefined) return found;
  try {
    await writeSecret(place, make(), clock);
  } catch (cause) {
    throw unwritable(place, cause as NodeJS.ErrnoException);
  }
  return readSecret(place);
}

async function writeSecret(place: SecretPlace, text: string, clock: Clock): Promise<void> {
  await makeFolder(place.directory);
  const draft = join(place.directory, `.${place.name}.${Buffer.from(clock.random(6)).toString('hex')}`);
  try {
    await writeDurably(draft, `${text}\n`);
    await linkUnlessThere(draft, pathOf(place));
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(place.directory);
}

function unwritable(place: SecretPlace, cause: NodeJS.ErrnoException): unknown {
  const { code } = cause;
  if (code === undefined) return cause;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `The disk is too full to write the secret ${pathOf(place)}. Make room, then start again.`;
    return new QuasarError('storage_full', { op: OP, message, cause });
  }
  return invalid(
    `The secret ${pathOf(place)} cannot be written (${code}). Give the folder to the user of this process, or name another one.`,
    cause,
  );
}

/** What is wrong with the secrets in a folder, a sentence each. A folder that is not there has none. */
export async function checkSecrets(directory: string): Promise<string[]> {
  const problems: string[] = [];
  for (const name of await listSecrets(directory)) {
    try {
      await (NEEDLESS.includes(name) ? findAnySecret({ directory, name }) : findSecret({ directory, name }));
    } catch (error) {
      if (!isQuasarError(error, 'config_invalid')) throw error;
      problems.push(error.message);
    }
  }
  return problems;
}

/** A sentence when the secret is not there. What else may be wrong with it, `checkSecrets` tells. */
export async function checkPresent(place: SecretPlace): Promise<string[]> {
  const there = (await listSecrets(place.directory)).includes(place.name);
  return there ? [] : [missing(place).message];
}

/** Hidden files are drafts of ours, or what a Kubernetes volume is made of. */
async function listSecrets(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw invalid(`The folder ${directory} cannot be read (${code}).`, cause);
  }
}

function pathOf(place: SecretPlace): string {
  return join(place.directory, place.name);
}

/** A pipe that nobody writes to must not keep a start waiting. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, READ_FLAGS);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(`The secret ${path} cannot be read (${code}).`, cause);
  }
}

function checkOwner(path: string, facts: { readonly mode: number; readonly uid: number; isFile(): boolean }): void {
  if (!facts.isFile()) throw invalid(`The secret ${path} is not a file.`);
  if (process.getuid !== undefined && facts.uid !== process.getuid()) {
    throw invalid(
      `The secret ${path} belongs to another user (uid ${facts.uid}) than the one that reads it (uid ${process.getuid()}); change the one or the other.`,
    );
  }
  const mode = facts.mode & 0o777;
  if (mode !== 0o600 && mode !== 0o400) {
    throw invalid(
      `The secret ${path} has mode ${mode.toString(8).padStart(4, '0')}, and others may read it. Type: chmod 600 ${path}`,
    );
  }
}

function checkText(place: SecretPlace, text: string): string {
  const path = pathOf(place);
  const value = withoutNewline(text);
  if (value.trim() === '') throw invalid(`The secret ${path} is empty. ${adviceOn(place.name)}`.trim());
  if (value.includes(PLACEHOLDER)) throw invalid(`The secret ${path} still is ${PLACEHOLDER}; put a real one there.`);
  return value;
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** What to do about a secret that is not what it was, by its name: what is lost with it differs. */
export function adviceOn(name: string): string {
  return ADVICE[name] ?? '';
}

const ADVICE: Readonly<Record<string, string>> = {
  'api-key-pepper':
    'Put the original back. If it is lost, remove the file: the next start makes another one, and every API key issued before is refused.',
  'audit-seed':
    'Put the original back. If it is lost, remove the file: the next start makes another one, and the audit log goes on under another key.',
  cursor: 'Remove the file: the next start makes another one, and page cursors in flight become invalid.',
  'postgres-password': 'Put the original back: the database was made with it.',
  'jwt-secret': 'Write the secret that the issuer of your tokens signs with into it.',
};
/** The server writes it for its clients and starts without. */
const NEEDLESS: readonly string[] = ['admin-key'];

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function linkUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function missing(place: SecretPlace): QuasarError {
  return invalid(`The secret ${pathOf(place)} is missing. Write it into that file and chmod 600 it.`);
}

function invalid(message: string, cause?: unknown): QuasarError {
  return new QuasarError('config_invalid', { op: OP, message, cause });
}
