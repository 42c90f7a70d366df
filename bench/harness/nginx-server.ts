import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, remember, runChild, stopChild } from './children.ts';
import type { Stage } from './stage.ts';

export interface NginxOptions {
  readonly sendfile: 'on' | 'off';
  /** Folder whose files it serves. */
  readonly root: string;
}

export interface NginxConfig extends NginxOptions {
  readonly port: number;
  /** Whether it stores what is PUT, by its WebDAV module, and makes folders for it. */
  readonly takesFiles?: boolean;
}

const CONFIG = 'nginx.conf';

/** As much of a body is held as cost least CPU time: a median of 0.56 s/GB (0.42–2.55), with 1 MiB 1.28 (0.45–2.30). */
const UPLOADS = 'dav_methods PUT; create_full_put_path on; client_max_body_size 0; client_body_buffer_size 128k;';

/** nginx serving files, with what makes it fast and nothing else. */
export class NginxServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** The stage's closer stops it. */
  static async open(stage: Stage, options: NginxOptions): Promise<NginxServer> {
    const home = stage.workspace.fresh('nginx');
    mkdirSync(home);
    const port = await freePort();
    writeNginxConfig(home, { port, ...options });
    const child = spawn('nginx', nginxArguments(home), { stdio: 'ignore' });
    remember(child);
    stage.closer.push('nginx', () => stopChild(child), 60_000);
    const server = new NginxServer(port, child);
    await server.#untilListening();
    return server;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async #untilListening(): Promise<void> {
    for (let waited = 0; waited < 10_000; waited += 20) {
      if (this.#child.exitCode !== null) throw new Error(`nginx ended with ${this.#child.exitCode}`);
      if (await accepts(this.port)) return;
      await sleep(20);
    }
    throw new Error('nginx does not listen');
  }
}

export async function nginxVersion(): Promise<string | undefined> {
  const output = await runChild('sh', ['-c', 'nginx -v 2>&1']).catch(() => undefined);
  return output?.trim().replace('nginx version: ', '');
}

/** What nginx is started with to run in the foreground from `home`, which holds all it writes. */
export function nginxArguments(home: string): string[] {
  return ['-p', home, '-c', join(home, CONFIG), '-e', join(home, 'error.log')];
}

export function writeNginxConfig(home: string, config: NginxConfig): void {
  writeFileSync(join(home, CONFIG), renderNginxConfig(config, { asRoot: process.getuid?.() === 0 }));
}

/** Both workers listen for themselves, so that a single one does not take all connections. */
export function renderNginxConfig(
  { port, sendfile, root, takesFiles = false }: NginxConfig,
  { asRoot }: { readonly asRoot: boolean },
): string {
  return `${asRoot ? 'user root;' : ''}
worker_processes 2;
daemon off;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile ${sendfile};
  tcp_nopush off;
  tcp_nodelay on;
  output_buffers 2 512k;
  keepalive_requests 1000000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ${takesFiles ? UPLOADS : ''}
  server { listen 127.0.0.1:${port} reuseport; root ${root}; default_type application/octet-stream; }
}
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (listens: boolean) => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
