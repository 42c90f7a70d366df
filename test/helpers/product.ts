import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface ProductOptions {
  /** An existing data directory; a temporary one otherwise. */
  readonly data?: string;
  readonly config?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node.js than the one that runs the tests. */
  readonly nodeProgram?: string;
}

/** The product as an operator runs it: `quasar up` as a process of its own, reached by HTTP alone. */
export class Product {
  readonly data: string;
  readonly url: string;
  readonly port: number;
  readonly #child: ChildProcess;
  #output = '';
  #key = '';

  private constructor(data: string, port: number, child: ChildProcess) {
    this.data = data;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#child = child;
    child.stdout?.on('data', (text) => {
      this.#output += text;
    });
    child.stderr?.on('data', (text) => {
      this.#output += text;
    });
  }

  /** Resolves when `/v1/ready` answers 200. Rejects with everything the process printed when it ends before. */
  static async start(options: ProductOptions = {}): Promise<Product> {
    const data = options.data ?? (await mkdtemp(join(tmpdir(), 'quasar-e2e-')));
    const port = await freePort();
    const flags = ['up', '--data', data, '--port', String(port), ...(options.flags ?? [])];
    if (options.config !== undefined) flags.push('--config', options.config);
    const child = spawn(options.nodeProgram ?? process.execPath, [MAIN, ...flags], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const product = new Product(data, port, child);
    await product.#untilReady();
    product.#key = (await readFile(product.keyFile, 'utf8')).trimEnd();
    return product;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Where the server keeps its administrator's key, for the client commands. */
  get keyFile(): string {
    return join(this.data, 'secrets', 'admin-key');
  }

  /** The administrator's; it stays the same from start to start. */
  get key(): string {
    return this.#key;
  }

  /** The header field with it, as `RawClient` sends it. */
  get keyLine(): string {
    return `Authorization: Bearer ${this.#key}\r\n`;
  }

  /** Everything the process printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Log lines as objects. */
  get log(): Record<string, unknown>[] {
    const lines = this.#output.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Of the database server this process runs. */
  async databasePid(): Promise<number> {
    const text = await readFile(join(this.data, 'postgres', 'cluster', 'postmaster.pid'), 'utf8');
    return Number(text.split('\n', 1)[0]);
  }

  /** As the administrator. */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return this.fetchAs(this.#key, path, init);
  }

  /** As whoever has this API key or token; as nobody with undefined. An `authorization` among the headers goes as it is. */
  fetchAs(key: string | undefined, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (key !== undefined && !headers.has('authorization')) headers.set('authorization', `Bearer ${key}`);
    return fetch(this.url + path, { ...init, headers });
  }

  /** Sends the signal and waits for the end; returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.running) {
      this.#child.kill(signal);
      await once(this.#child, 'exit');
    }
    return this.#child.exitCode;
  }

  /** SIGKILL, nothing else: what a power cut of this process alone would be. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Ends the process and its database, and removes the data. */
  async destroy(): Promise<void> {
    if (this.running) await this.stop();
    else await this.#stopOrphanedDatabase();
    await rm(this.data, { recursive: true, force: true });
  }

  async #stopOrphanedDatabase(): Promise<void> {
    const pid = await this.databasePid().catch(() => undefined);
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGQUIT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      return;
    }
    for (let waited = 0; waited < 10_000 && isAlive(pid); waited += 50) await sleep(50);
  }

  async #untilReady(): Promise<void> {
    for (let waited = 0; waited < 60_000; waited += 25) {
      if (!this.running) throw new Error(`quasar up ended with ${this.#child.exitCode}:\n${this.#output}`);
      const answer = await fetch(`${this.url}/v1/ready`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.status === 200) return;
      await sleep(25);
    }
    await this.kill();
    throw new Error(`quasar up was not ready within a minute:\n${this.#output}`);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
