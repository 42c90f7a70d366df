import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { freePort, remember, stopChild } from '../harness/children.ts';
import { checkDownload, checkWhole, makeFile } from '../harness/content.ts';
import type { FileStore, PeerSetting, Requests } from '../harness/file-store.ts';
import type { Stage } from '../harness/stage.ts';
import { diskSizeOf } from './folder-size.ts';

const READY_POLL_MS = 5;
const READY_WAIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;
/** A few blocks of every peer and a part of one. */
const CHECKED_SIZE = 9_000_011;

/** Where a peer runs; the same from start to start. */
export interface PeerPlace {
  /** A folder of its own, on the disk that is measured. */
  readonly home: string;
  /** Its store, in `home`. */
  readonly data: string;
  readonly port: number;
  /** As many as its driver asks for. */
  readonly otherPorts: readonly number[];
}

export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside PATH and HOME, which is the peer's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What one peer does in its own way. One driver serves one store. */
export interface PeerDriver {
  /** Beside that of HTTP. */
  readonly otherPortCount?: number;
  /** Whether it takes so long to stop that it is killed when its store goes too. It must be one process then. */
  readonly stopsSlowly?: boolean;
  /** What starts it on loopback; called before each start, when `data` exists. */
  command(place: PeerPlace): PeerCommand;
  /** Whether it serves; asked until it does. */
  isReady(place: PeerPlace): Promise<boolean>;
  /** Makes an empty store ready for uploads, once it serves. */
  prepare?(place: PeerPlace): Promise<void>;
  /** As in FileStore; `batch` is another number each time. */
  writes(place: PeerPlace, wish: { readonly batch: number; readonly count: number; readonly size: number }): Requests;
  reads(place: PeerPlace, stored: { readonly batch: number; readonly count: number }): Requests;
}

export type PeerSettingFacts = Omit<PeerSetting, 'open'>;

/** A setting whose stores are driven by drivers from `makeDriver`. */
export function peerSetting(facts: PeerSettingFacts, makeDriver: () => PeerDriver): PeerSetting {
  return { ...facts, open: (stage) => PeerStore.open(stage, facts, makeDriver()) };
}

/** A started peer in a folder of its own. */
export class PeerStore implements FileStore {
  readonly role = 'peer';
  readonly #facts: PeerSettingFacts;
  readonly #driver: PeerDriver;
  readonly #place: PeerPlace;
  #child: ChildProcess | undefined;
  #startMs = 0;
  #batch = 0;
  #count = 0;

  private constructor(facts: PeerSettingFacts, driver: PeerDriver, place: PeerPlace) {
    this.#facts = facts;
    this.#driver = driver;
    this.#place = place;
  }

  /** Resolves when it has answered with the bytes of an upload and is empty again. */
  static async open(stage: Stage, facts: PeerSettingFacts, driver: PeerDriver): Promise<PeerStore> {
    const home = stage.workspace.fresh(facts.name);
    const [port = 0, ...otherPorts] = await Promise.all(Array.from({ length: 1 + (driver.otherPortCount ?? 0) }, freePort));
    const store = new PeerStore(facts, driver, { home, data: join(home, 'data'), port, otherPorts });
    stage.closer.push(facts.name, () => store.#destroy(), STOP_LIMIT_MS);
    await store.renew();
    await store.#check(stage);
    await store.renew();
    return store;
  }

  get name() {
    return this.#facts.name;
  }

  get durability() {
    return this.#facts.durability;
  }

  get port(): number {
    return this.#place.port;
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  get startMs(): number {
    return this.#startMs;
  }

  async writes(count: number, size: number): Promise<Requests> {
    this.#batch += 1;
    this.#count = count;
    return this.#driver.writes(this.#place, { batch: this.#batch, count, size });
  }

  async reads(): Promise<Requests> {
    return this.#driver.reads(this.#place, { batch: this.#batch, count: this.#count });
  }

  storeSize(): number {
    return diskSizeOf(this.#place.data);
  }

  async restart(): Promise<void> {
    await this.#stop();
    await this.#start();
  }

  async renew(): Promise<void> {
    await this.#destroy();
    mkdirSync(this.#place.data, { recursive: true });
    await this.#start();
    await this.#driver.prepare?.(this.#place);
  }

  async #start(): Promise<void> {
    const { program, args, env } = this.#driver.command(this.#place);
    const log = openSync(this.#log, 'a');
    const began = systemClock.monotonic();
    const child = spawn(program, args, {
      cwd: this.#place.home,
      env: { PATH: process.env.PATH, HOME: this.#place.home, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    remember(child);
    this.#child = child;
    while (!(await this.#driver.isReady(this.#place))) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${this.name} ended with ${child.exitCode ?? child.signalCode}:\n${this.#lastWords()}`);
      if (systemClock.monotonic() - began > READY_WAIT_MS) throw new Error(`${this.name} is not ready:\n${this.#lastWords()}`);
      await sleep(READY_POLL_MS);
    }
    this.#startMs = systemClock.monotonic() - began;
  }

  async #stop(): Promise<void> {
    if (this.#child !== undefined) await stopChild(this.#child);
  }

  async #destroy(): Promise<void> {
    if (this.#driver.stopsSlowly) this.#child?.kill('SIGKILL');
    await this.#stop();
    rmSync(this.#place.home, { recursive: true, force: true });
  }

  /** Stores a file, and throws unless it reads back whole, and in ranges where the peer can. */
  async #check(stage: Stage): Promise<void> {
    const file = makeFile(stage.workspace.fresh('checked'), CHECKED_SIZE);
    const { method, paths, headers } = await this.writes(1, file.size);
    const url = `http://127.0.0.1:${this.port}`;
    const sent = new Headers({ 'Content-Type': 'application/octet-stream' });
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    const answer = await fetch(url + firstOf(paths), { method, headers: sent, body: readFileSync(file.path) });
    if (!answer.ok) throw new Error(`${this.name} answers an upload with ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    const reads = await this.reads();
    const origin = { url, headers: reads.headers };
    await (this.#facts.readsRanges ? checkDownload : checkWhole)(origin, firstOf(reads.paths), file);
    rmSync(file.path);
  }

  get #log(): string {
    return join(this.#place.home, 'log');
  }

  #lastWords(): string {
    return readFileSync(this.#log, 'utf8').trim().split('\n').slice(-20).join('\n');
  }
}

/** Whether anything but a failure is answered; a refusal is an answer too. */
export async function answers(place: PeerPlace, path: string): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${place.port}${path}`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer !== undefined && answer.status < 500;
}

/** Paths from `template`, whose %d is a number from 0. */
export function numbered(template: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => template.replace('%d', String(index)));
}

function firstOf(paths: Requests['paths']): string {
  const [first] = typeof paths === 'string' ? numbered(paths, 1) : paths;
  if (first === undefined) throw new Error('there is no request');
  return first;
}
