import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkDownload, makeFile, putFile } from './content.ts';
import { NginxServer } from './nginx-server.ts';
import { type QuasarOptions, QuasarServer } from './quasar-server.ts';
import type { Role } from './results.ts';
import type { Stage } from './stage.ts';

/** A server with the file that is to be read from it, under this path. */
export interface FileServer {
  readonly name: string;
  readonly role: Role;
  readonly port: number;
  readonly pid: number;
  readonly path: string;
}

export const edgeNames = { uwebsockets: 'Quasar, uWebSockets.js', node: 'Quasar, node:http' } as const;

/**
 * Quasar with each of these edges and nginx with sendfile on and off, all serving the same new file of random bytes.
 * Each has been read from once and answered with the right bytes, so all of them are warm.
 */
export async function openFileServers(
  stage: Stage,
  { size, adapters }: { readonly size: number; readonly adapters: readonly NonNullable<QuasarOptions['adapter']>[] },
): Promise<FileServer[]> {
  const root = stage.workspace.fresh('files');
  mkdirSync(root);
  stage.closer.push('files', () => rmSync(root, { recursive: true }));
  const file = makeFile(join(root, 'file'), size);
  const servers: FileServer[] = [];
  for (const adapter of adapters) {
    const server = await QuasarServer.open(stage, { adapter });
    const path = await putFile(server.url, file);
    servers.push({ name: edgeNames[adapter], role: 'quasar', port: server.port, pid: server.pid, path });
  }
  for (const sendfile of stage.has.nginx ? (['on', 'off'] as const) : []) {
    const { port, pid } = await NginxServer.open(stage, { sendfile, root });
    servers.push({ name: `nginx, sendfile ${sendfile}`, role: 'peer', port, pid, path: '/file' });
  }
  for (const { port, path } of servers) await checkDownload(`http://127.0.0.1:${port}`, path, file);
  return servers;
}

/** Says what a table cannot. */
export function nginxNotes(stage: Stage): string[] {
  return stage.has.nginx ? [] : ['nginx is not installed here, so there is nothing to compare with.'];
}
