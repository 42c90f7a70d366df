import { open } from 'node:fs/promises';
import { limits } from '../core/limits.ts';

/**
 * The text of a JWK set in a file, which may be replaced while the server runs: by renaming another over it.
 * @throws Error when it cannot be read or is larger than `limits.jwksSizeMax`.
 */
export async function readJwksFile(path: string): Promise<string> {
  const handle = await open(path);
  try {
    const bytes = Buffer.alloc(limits.jwksSizeMax + 1);
    let size = 0;
    for (let read = -1; read !== 0 && size < bytes.byteLength; size += read) {
      read = (await handle.read(bytes, size, bytes.byteLength - size)).bytesRead;
    }
    if (size > limits.jwksSizeMax) throw new Error(`the JWK set is larger than ${limits.jwksSizeMax} bytes`);
    return bytes.toString('utf8', 0, size);
  } finally {
    await handle.close();
  }
}
