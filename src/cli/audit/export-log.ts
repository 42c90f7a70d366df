import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { syncName } from '../../disk/durable-folder.ts';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import { fileFault } from '../file-fault.ts';
import type { HttpClient } from '../http-client.ts';
import { printable } from '../terminal.ts';
import { formatBytes } from '../units.ts';

/** `quasar audit export`. Not repeated by itself when it breaks off: each export is an event of the log. */
export async function exportLog(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const file = args[0] as string;
  const size = await withClient(context, (http) => download(http, file));
  if (flags.switch('json')) await terminal.printJson({ file, size });
  else await terminal.print(printable(`${file}: ${formatBytes(size)}`));
  return 0;
}

async function download(http: HttpClient, file: string): Promise<number> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', OWNER_ONLY).catch((cause) => {
    throw fileFault(cause, 'written', part);
  });
  try {
    const size = await fill(http, handle, part);
    await handle.sync();
    await rename(part, file);
    await syncName(file);
    return size;
  } catch (error) {
    await rm(part, { force: true });
    throw fileFault(error, 'written', part);
  } finally {
    await handle.close();
  }
}

/** Returns how many bytes came. An answer without its last chunk breaks the connection, and so the loop. */
async function fill(http: HttpClient, handle: FileHandle, part: string): Promise<number> {
  const { body } = await http.send({ method: 'GET', path: '/v1/audit/export', headers: { accept: 'application/x-ndjson' } });
  let size = 0;
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await chunks.next().catch((cause) => {
      throw http.bodyFault(cause);
    });
    if (done) return size;
    await handle.writeFile(value).catch((cause) => {
      body.destroy();
      throw fileFault(cause, 'written', part);
    });
    size += value.length;
  }
}

/** It tells who read what. */
const OWNER_ONLY = 0o600;
