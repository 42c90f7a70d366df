import { QuasarError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { HttpClient } from '../http-client.ts';

/** The text of a small answer. */
export async function readAnswer(http: HttpClient, path: string): Promise<string> {
  const { body } = await http.send({ method: 'GET', path, headers: { accept: 'text/plain' } });
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > limits.noteSizeMax) throw new QuasarError('unexpected_answer', { op: 'cli.audit' });
      parts.push(part);
    }
  } catch (cause) {
    throw http.bodyFault(cause);
  }
  return Buffer.concat(parts).toString('utf8');
}
