import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './product.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

/** What the configurations of docs/proxies.md say, and what stands for it here. */
const DOCUMENTED = { server: '127.0.0.1:8080', host: 'records.example.org', files: '/etc/ssl/' };

export interface RunningProxy {
  readonly port: number;
  /** The certificate, which is its own authority. */
  readonly certificateFile: string;
  readonly certificate: string;
}

export type ProxyName = 'nginx' | 'haproxy' | 'caddy';

/** Runs a proxy on a free port of this machine with its configuration out of docs/proxies.md, until the test is over. */
export async function startProxy(
  t: { teardown(end: () => Promise<void>): void },
  name: ProxyName,
  serverPort: number,
  change: (config: string) => string = (config) => config,
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), `quasar-${name}-`));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  await makeCertificate(folder);
  const documented = await readConfig(name);
  const config = change(documented)
    .replaceAll(DOCUMENTED.server, `127.0.0.1:${serverPort}`)
    .replaceAll(DOCUMENTED.files, `${folder}/`)
    .replaceAll('listen 443', `listen 127.0.0.1:${port}`)
    .replaceAll('bind :443', `bind 127.0.0.1:${port}`)
    .replaceAll(`${DOCUMENTED.host} {`, `https://localhost:${port} {\n    bind 127.0.0.1`)
    .replaceAll(DOCUMENTED.host, 'localhost');
  const file = join(folder, 'config');
  await writeFile(file, surround(name, config, folder));
  const [program, ...line] = COMMANDS[name](file, folder);
  const proxy = spawn(program as string, line, { cwd: folder, env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder } });
  let output = '';
  for (const stream of [proxy.stdout, proxy.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const ended = once(proxy, 'exit');
  t.teardown(async () => {
    proxy.kill('SIGTERM');
    await ended;
  });
  for (let waited = 0; !(await answers(port)); waited += 25) {
    if (proxy.exitCode !== null || waited > 60_000) throw new Error(`${name} does not serve:\n${output}`);
    await sleep(25);
  }
  const certificateFile = join(folder, 'records.pem');
  return { port, certificateFile, certificate: await readFile(certificateFile, 'utf8') };
}

async function readConfig(name: ProxyName): Promise<string> {
  const page = await readFile(join(ROOT, 'docs', 'proxies.md'), 'utf8');
  const [, config] = new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? [];
  if (config === undefined) throw new Error(`docs/proxies.md has no configuration of ${name}`);
  return config;
}

async function makeCertificate(folder: string): Promise<void> {
  const [key, certificate] = [join(folder, 'records.key'), join(folder, 'records.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', certificate],
  ]);
  await writeFile(join(folder, 'records.both.pem'), (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')));
  await mkdir(join(folder, 'temporary'));
}

/** What a distribution's own configuration has around the documented part. */
function surround(name: ProxyName, config: string, folder: string): string {
  switch (name) {
    case 'nginx': {
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${folder}/temporary/${kind};`,
      );
      const http = `http {\naccess_log off;\n${paths.join('\n')}\n${config}\n}`;
      // Started by root it would give its work to somebody who may not enter the folder.
      const user = process.getuid?.() === 0 ? 'user root;\n' : '';
      return `${user}daemon off;\nerror_log stderr;\npid ${folder}/nginx.pid;\nevents {}\n${http}\n`;
    }
    case 'haproxy':
      return `global\n    maxconn 100\n\n${config}`;
    case 'caddy':
      return `{\n    admin off\n    auto_https disable_redirects\n}\n${config}`;
  }
}

const COMMANDS: Readonly<Record<ProxyName, (file: string, folder: string) => readonly string[]>> = {
  nginx: (file, folder) => ['nginx', '-c', file, '-p', folder, '-e', 'stderr'],
  haproxy: (file) => ['haproxy', '-f', file],
  caddy: (file) => ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
};

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
