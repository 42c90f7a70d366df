import { type FileHandle, open, rm } from 'node:fs/promises';
import { QuasarError } from '../../core/errors.ts';
import { syncName } from '../../disk/durable-folder.ts';
import { fileFault } from '../file-fault.ts';
import type { Answered } from './access-client.ts';

const OWNER_ONLY = 0o600;

/**
 * Makes a key by `make` and writes it to a new file that its owner alone may read; the answer comes back without the key. The
 * file is there before the key is, so that none is made that cannot be kept, and is gone again when none was made.
 * @throws QuasarError `file_unreadable`, what `make` throws.
 */
export async function keepKey(path: string, make: () => Promise<Answered>): Promise<Answered> {
  const handle = await openNew(path);
  try {
    const { key, ...facts } = await makeOrRemove(path, make);
    await writeKey(handle, path, String(key)).catch((cause) => {
      throw lostKey(path, facts, cause);
    });
    return { ...facts, keyFile: path };
  } finally {
    await handle.close();
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', OWNER_ONLY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFault(cause, 'written', path);
    const message = `${path} is there already; a key goes to a new file.`;
    throw new QuasarError('file_unreadable', { op: 'cli.keepKey', message, cause });
  }
}

async function makeOrRemove(path: string, make: () => Promise<Answered>): Promise<Answered> {
  try {
    return await make();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function writeKey(handle: FileHandle, path: string, key: string): Promise<void> {
  await handle.writeFile(`${key}\n`);
  await handle.sync();
  await syncName(path);
}

function lostKey(path: string, { keyId }: Answered, cause: unknown): QuasarError {
  const fault = fileFault(cause, 'written', path);
  const message = `${fault.message} The key was made and is lost: "quasar key revoke ${keyId}".`;
  return new QuasarError('file_unreadable', { op: 'cli.keepKey', message, details: { keyId }, cause });
}
