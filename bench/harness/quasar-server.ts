import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/core/clock.ts';
import { limits } from '../../src/core/limits.ts';
import { diskSizeOf } from '../peers/folder-size.ts';
import { freePort, remember, stopChild } from './children.ts';
import type { Stage } from './stage.ts';

/** What `quasar` on the command line runs. */
export const quasarProgram = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const READY_POLL_MS = 5;
const READY_WAIT_MS = 60_000;
const SPARES_POLL_MS = 100;
const SPARES_WAIT_MS = 60_000;

export interface QuasarOptions {
  readonly adapter?: 'net' | 'node';
  /** How many spare segments it may keep; 0 makes it write every segment into a fresh file. */
  readonly spareSegments?: number;
  /** The `main.js` of another build than this one. */
  readonly program?: string;
}

/** `quasar up` as an operator runs it, with a store of its own, reached by HTTP. */
export class QuasarServer {
  readonly #home: string;
  readonly #program: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;
  /** From the command to the first 200 of /v1/ready. */
  #startMs = 0;
  #headers: Readonly<Record<string, string>> = {};

  private constructor(home: string, program: string, flags: readonly string[]) {
    this.#home = home;
    this.#program = program;
    this.#flags = flags;
  }

  /** Started, with an empty store; the stage's closer stops it and removes the store. */
  static async open(stage: Stage, options: QuasarOptions = {}): Promise<QuasarServer> {
    const server = QuasarServer.prepare(stage, options);
    await server.start();
    return server;
  }

  /** The same, not started yet. */
  static prepare(stage: Stage, options: QuasarOptions = {}): QuasarServer {
    const home = stage.workspace.fresh('quasar');
    mkdirSync(join(home, 'config'), { recursive: true });
    const server = new QuasarServer(home, options.program ?? quasarProgram, writeConfig(join(home, 'config'), options));
    stage.closer.push('quasar', () => server.destroy(), 60_000);
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Of every request: the administrator's key, which an empty store gets anew. A build that knows no keys gets none. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  /** Where that key lies, for `quasar` commands. */
  get keyFile(): string {
    return join(this.dataFolder, 'secrets', 'admin-key');
  }

  get dataFolder(): string {
    return join(this.#home, 'data');
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  get startMs(): number {
    return this.#startMs;
  }

  async start(): Promise<void> {
    this.#port = await freePort();
    const log = openSync(join(this.#home, 'log'), 'a');
    const began = systemClock.monotonic();
    const args = [this.#program, 'up', '--data', this.dataFolder, '--port', String(this.#port), ...this.#flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    remember(child);
    this.#child = child;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null) throw new Error(`quasar up ended with ${child.exitCode}:\n${this.#lastWords()}`);
      if (systemClock.monotonic() - began > READY_WAIT_MS) throw new Error(`quasar up is not ready:\n${this.#lastWords()}`);
      await sleep(READY_POLL_MS);
    }
    this.#startMs = systemClock.monotonic() - began;
    this.#headers = this.#readHeaders();
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await stopChild(this.#child);
  }

  async destroy(): Promise<void> {
    await this.stop();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Stops it and removes its store. */
  async empty(): Promise<void> {
    await this.stop();
    rmSync(this.dataFolder, { recursive: true, force: true });
  }

  /** Starts again with an empty store. */
  async renew(): Promise<void> {
    await this.empty();
    await this.start();
  }

  /** Bytes that blocks, index and database take on the disk, spare segments included. */
  storeSize(): number {
    return diskSizeOf(this.dataFolder);
  }

  /** Resolves when all spare segments are made; they are made in idle time, once a first segment has been filled. */
  async untilSpare(): Promise<void> {
    const began = systemClock.monotonic();
    for (let count = -1, size = -1; ; ) {
      const spares = this.#segments().filter(({ name }) => name.endsWith('.spare'));
      const now = spares.reduce((total, file) => total + file.size, 0);
      if (now === size && count === limits.spareSegmentsMax && spares.every((file) => file.size === limits.segmentSize)) return;
      if (systemClock.monotonic() - began > SPARES_WAIT_MS) throw new Error(`quasar made ${count} spare segments and no more`);
      count = spares.length;
      size = now;
      await sleep(SPARES_POLL_MS);
    }
  }

  #readHeaders(): Readonly<Record<string, string>> {
    if (!existsSync(this.keyFile)) return {};
    return { Authorization: `Bearer ${readFileSync(this.keyFile, 'utf8').trimEnd()}` };
  }

  async #isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}/v1/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  }

  #segments(): { readonly name: string; readonly size: number }[] {
    const folder = join(this.dataFolder, 'node', 'seg');
    return readdirSync(folder).flatMap((name) => {
      const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size;
      return size === undefined ? [] : [{ name, size }];
    });
  }

  #lastWords(): string {
    return readFileSync(join(this.#home, 'log'), 'utf8').trim().split('\n').slice(-20).join('\n');
  }
}

/** Returns the flags; without options the product runs on its defaults and has no config folder. */
function writeConfig(folder: string, { adapter, spareSegments }: QuasarOptions): string[] {
  if (adapter === undefined && spareSegments === undefined) return [];
  if (adapter !== undefined) writeFileSync(join(folder, 'quasar.conf'), `http.adapter = ${adapter}\n`);
  if (spareSegments !== undefined) writeFileSync(join(folder, 'storage.conf'), `spareSegments = ${spareSegments}\n`);
  return ['--config', folder];
}
