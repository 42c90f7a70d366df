import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { QuasarError } from '../core/errors.ts';
import type { DatabaseAddress } from './database-url.ts';

/**
 * What a connection needs for the TLS that a database URL asks for; undefined for one in the clear. Relative files start in
 * `directory`. As in libpq, `require` with authorities checks them too.
 * @throws QuasarError `config_invalid` for a file that cannot be read, or a key that others may read.
 */
export async function readDatabaseTls(
  { tls }: DatabaseAddress,
  directory: string | undefined,
): Promise<ConnectionOptions | undefined> {
  const { mode, rootCertFile, certFile, keyFile } = tls;
  if (mode === undefined || mode === 'disable') return undefined;
  const read = (name: string, file: string) => readNamed(name, resolve(directory ?? '.', file));
  const own = rootCertFile !== undefined && rootCertFile !== 'system';
  const options: ConnectionOptions = { minVersion: 'TLSv1.2', rejectUnauthorized: mode !== 'require' || own };
  if (own) options.ca = await read('sslrootcert', rootCertFile);
  if (certFile !== undefined) options.cert = await read('sslcert', certFile);
  if (keyFile !== undefined) {
    await requirePrivate(resolve(directory ?? '.', keyFile));
    options.key = await read('sslkey', keyFile);
  }
  // The chain is looked at, whoever it is for.
  if (mode !== 'verify-full') options.checkServerIdentity = () => undefined;
  return options;
}

async function readNamed(name: string, path: string): Promise<string> {
  try {
    const text = (await stat(path)).isFile() ? await readFile(path, 'utf8') : '';
    if (/-----BEGIN /.test(text)) return text;
  } catch (cause) {
    throw invalid(`db.conf: ${name} ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, cause);
  }
  throw invalid(`db.conf: ${name} ${path} is not a PEM file.`);
}

/** As libpq demands: nobody else, or root's and readable by a group. */
async function requirePrivate(path: string): Promise<void> {
  const facts = await stat(path).catch((cause) => {
    throw invalid(`db.conf: sslkey ${path} cannot be read (${cause.code}).`, cause);
  });
  const forbidden = facts.uid === 0 && process.getuid?.() !== 0 ? 0o037 : 0o077;
  if ((facts.mode & forbidden) !== 0) throw invalid(`db.conf: others may read sslkey ${path}. Type: chmod 600 ${path}`);
}

function invalid(message: string, cause?: unknown): QuasarError {
  return new QuasarError('config_invalid', { op: 'config.read', message, cause });
}
