import { createHash } from 'node:crypto';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import { assertOnDisk, type ContentTarget, openTarget, StreamTarget } from '../content-target.ts';
import type { Answer, HttpClient } from '../http-client.ts';
import { printable } from '../terminal.ts';
import { formatBytes } from '../units.ts';

/** `quasar audit export`. Not repeated by itself when it breaks off: each export is an event of the log. */
export async function exportLog(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const file = args[0] as string;
  // It tells who read what.
  const target = await openTarget(file, context, { mode: 0o600 });
  const path = `/v1/audit/export${flags.switch('unsigned') ? '?unsigned=true' : ''}`;
  const size = await withClient(context, (http) => download(http, path, target)).finally(() => target.close());
  if (target instanceof StreamTarget) return 0;
  if (flags.switch('json')) await terminal.printJson({ file, size });
  else await terminal.print(printable(`${file}: ${formatBytes(size)}`));
  return 0;
}

async function download(http: HttpClient, path: string, target: ContentTarget): Promise<number> {
  await target.begin(undefined);
  const hash = createHash('sha256');
  const answer = await http.send({ method: 'GET', path, headers: { accept: 'application/x-ndjson' } });
  const size = await fill(http, answer, (bytes) => {
    hash.update(bytes);
    return target.write(bytes);
  });
  await assertOnDisk(target, hash.digest('hex'));
  await target.complete();
  return size;
}

/** Returns how many bytes came. An answer without its last chunk breaks the connection, and so the loop. */
async function fill(http: HttpClient, { body }: Answer, write: (bytes: Buffer) => Promise<void>): Promise<number> {
  let size = 0;
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await chunks.next().catch((cause) => {
      throw http.bodyFault(cause);
    });
    if (done) return size;
    await write(value).catch((cause) => {
      body.destroy();
      throw cause;
    });
    size += value.length;
  }
}
