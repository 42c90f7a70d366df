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
    writeFileSync(join(home, 'nginx.conf'), configure(port, options));
    const child = spawn('nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')], {
      stdio: 'ignore',
    });
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

/** Both workers listen for themselves, so that a single one does not take all connections. */
function configure(port: number, { sendfile, root }: NginxOptions): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
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
