import { isJwksAddress } from '../config/jwks-address.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/**
 * The address of a JWK set as an operator writes it.
 * @throws QuasarError `config_invalid` unless it is https, or http to this machine itself; never with a password in it.
 */
export function parseJwksUrl(text: string): URL {
  if (!isJwksAddress(text)) {
    throw new QuasarError('config_invalid', {
      op: 'access.parseJwksUrl',
      message: 'The address of the JWK set must be https, or http on this machine, without user name and password.',
    });
  }
  return new URL(text);
}

/**
 * The text at `url`, at most `limits.jwksSizeMax` bytes, within `limits.jwksTimeoutMs` from the first packet to the last byte.
 * A redirect is a failure: whoever can make the server point elsewhere would choose our keys.
 * @throws Error that says what went wrong, for the log.
 */
export async function fetchJwks(url: URL, signal: AbortSignal): Promise<string> {
  const answer = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' },
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.jwksTimeoutMs)]),
  });
  if (answer.status !== 200 || answer.body === null) {
    await answer.body?.cancel();
    throw new Error(`the server of the JWK set answered ${answer.status}`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  // Counted as it arrives, unpacked: what a header says of the size binds nobody. Leaving the loop closes the connection.
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > limits.jwksSizeMax) throw new Error(`the JWK set is larger than ${limits.jwksSizeMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
