import { basename, dirname } from 'node:path';
import type { Secret } from '../config/secret.ts';
import { findSecret, readSecret } from '../config/secrets.ts';
import { QuasarError } from '../core/errors.ts';
import { usage } from './flags.ts';

export interface KeyWish {
  /** `--key-file`. */
  readonly flag: string | undefined;
  /** QUASAR_KEY_FILE. */
  readonly environment: string | undefined;
  /** Where to look when nobody named one. */
  readonly fallback: string;
  readonly url: URL;
}

export interface KeyFile {
  readonly path: string;
  /** Whether somebody named it: then it must be there. */
  readonly named: boolean;
}

/** What a client command proves with who it is: an API key or a token, and the file it came from. */
export interface ClientKey {
  readonly path: string;
  readonly text: Secret;
}

/** Undefined when there is none to send: a key that nobody named goes to this machine alone. */
export function chooseKeyFile({ flag, environment, fallback, url }: KeyWish): KeyFile | undefined {
  const path = flag ?? environment;
  if (path !== undefined) return { path, named: true };
  return LOOPBACK.test(url.hostname) ? { path: fallback, named: false } : undefined;
}

/**
 * The key of the file that is chosen; undefined when none is, or the fallback is not there.
 * @throws QuasarError `config_invalid` when others may read it or a named one is missing; `usage` when it holds no key.
 */
export async function readClientKey(wish: KeyWish): Promise<ClientKey | undefined> {
  const file = chooseKeyFile(wish);
  if (file === undefined) return undefined;
  const { path, named } = file;
  const place = { directory: dirname(path), name: basename(path) };
  const text = named ? await readSecret(place) : await findSecret(place);
  if (text === undefined) return undefined;
  if (!CREDENTIAL.test(text.reveal())) throw usage(`The file ${path} holds no key: a key is one word on one line.`);
  return { path, text };
}

/** Says what to do when the server takes no request without a key, or not with this one. Other errors pass. */
export function explainUnauthenticated(error: QuasarError, key: ClientKey | undefined): QuasarError {
  if (error.code !== 'unauthenticated') return error;
  const tried = key === undefined ? 'No key was sent' : `The key in ${key.path} was sent`;
  return new QuasarError('unauthenticated', {
    op: error.op,
    message:
      `${error.message} ${tried}; name ${key === undefined ? 'one' : 'another'} with --key-file or QUASAR_KEY_FILE. ` +
      "The administrator's lies in secrets/admin-key of the server's data folder.",
    details: error.details,
    cause: error.cause,
  });
}

/** As `URL` spells them: it makes `127.1` into `127.0.0.1`. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** What may stand behind "Bearer" (RFC 6750 section 2.1). */
const CREDENTIAL = /^[A-Za-z0-9._~+/-]+=*$/;
