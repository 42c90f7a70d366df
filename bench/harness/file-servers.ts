import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkDownload, checkWhole, firstPath, makeFile, type StoredFile, storeFile } from './content.ts';
import type { FileStore, PeerSetting, Requests } from './file-store.ts';
import { NginxServer } from './nginx-server.ts';
import { nullFileServer } from './null-candidates.ts';
import { openPeers } from './peer-settings.ts';
import type { QuasarOptions } from './quasar-server.ts';
import { QuasarStore } from './quasar-store.ts';
import type { Role } from './results.ts';
import type { Stage } from './stage.ts';

/** A server with what is to be read from it. */
export interface FileServer {
  readonly name: string;
  readonly role: Role;
  readonly port: number;
  readonly pid: number;
  readonly requests: Requests;
}

export interface FileServersWish {
  readonly size: number;
  readonly adapters: readonly NonNullable<QuasarOptions['adapter']>[];
  readonly peers: readonly PeerSetting[];
  /** Whether ranges are to be read. */
  readonly ranges: boolean;
}

export interface FileServers {
  readonly servers: readonly FileServer[];
  readonly notes: readonly string[];
}

/**
 * Quasar with each of these edges, nginx with sendfile on and off, the peers and the null server, all but the last serving
 * the same new file of random bytes. Each has been read from once and answered with the right bytes, so all of them are warm.
 */
export async function openFileServers(stage: Stage, { size, adapters, peers, ranges }: FileServersWish): Promise<FileServers> {
  const root = stage.workspace.fresh('files');
  mkdirSync(root);
  stage.closer.push('files', () => rmSync(root, { recursive: true }));
  const file = makeFile(join(root, 'file'), size);
  const checked = async (server: FileServer) => {
    const origin = { url: `http://127.0.0.1:${server.port}`, headers: server.requests.headers };
    await (ranges ? checkDownload : checkWhole)(origin, firstPath(server.requests), file);
    return server;
  };
  const servers: FileServer[] = [];
  for (const adapter of adapters) servers.push(await checked(await serving(await QuasarStore.open(stage, { adapter }), file)));
  for (const server of await openNginx(stage, root, ['/file'])) servers.push(await checked(server));
  const others = await openPeers(stage, peers, async (setting) => checked(await serving(await setting.open(stage), file)));
  return {
    servers: [...servers, ...others.stores, await nullFileServer(stage, size)],
    notes: [...nginxNotes(stage), ...others.notes],
  };
}

/** nginx with sendfile on and off over this folder; none where it is not installed. */
export async function openNginx(stage: Stage, root: string, paths: readonly string[]): Promise<FileServer[]> {
  const servers: FileServer[] = [];
  for (const sendfile of stage.has.nginx ? (['on', 'off'] as const) : []) {
    const { port, pid } = await NginxServer.open(stage, { sendfile, root });
    servers.push({
      name: `nginx, sendfile ${sendfile}`,
      role: 'peer',
      port,
      pid,
      requests: { method: 'GET', paths, headers: {} },
    });
  }
  return servers;
}

/** Says what a table cannot. */
export function nginxNotes(stage: Stage): string[] {
  return stage.has.nginx ? [] : ['nginx is not installed here, so there is nothing to compare with.'];
}

export function namesOfNginx(servers: readonly FileServer[]): string[] {
  return servers.map(({ name }) => name).filter((name) => name.startsWith('nginx'));
}

async function serving(store: FileStore, file: StoredFile): Promise<FileServer> {
  const { name, role } = store;
  const requests = await storeFile(store, file);
  return { name, role, port: store.port, pid: store.pid, requests };
}
