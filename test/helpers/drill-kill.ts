import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { readEverything, repeatLostRequests, resumeSessions } from './drill-check.ts';
import { writeConfig } from './drill-config.ts';
import { type Dice, openDice } from './drill-dice.ts';
import { call } from './drill-http.ts';
import { DrillLoad } from './drill-load.ts';
import { Oracle } from './drill-oracle.ts';
import { Product } from './product.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Node and its PostgreSQL are killed, or told to end. */
export type Victim = 'node' | 'database' | 'both' | 'nobody';

export interface KillDrill {
  /** Drawn from in every round. */
  readonly victims: readonly Victim[];
  /** Asked before each round, which counts from 1. */
  readonly goesOn: (round: number) => boolean;
  /** Everything is read back after so many rounds, and at the end. */
  readonly readEvery?: number;
  /** Lines of storage.conf. */
  readonly storage?: readonly string[];
}

export interface DrillSummary {
  readonly seed: number;
  readonly rounds: number;
  readonly versions: number;
  readonly faults: number;
}

/** Time under load before the kill, in ms: from the first requests to many. */
const LOAD_MS = { least: 30, most: 700 };
/** A process that has answered has long written its log; the pipe may be behind on a busy machine. */
const LOG_MS_MAX = 10_000;
/** Load that goes on after a database has come back. */
const LOAD_AFTER_MS = 150;

/**
 * Kills under mixed load, starts again what does not start by itself, and compares the product with what it had
 * acknowledged, round by round. The oracle lives through all rounds: nothing may get lost later either.
 */
export async function killDrill(t: Test, { victims, goesOn, readEvery = 1, storage = [] }: KillDrill): Promise<DrillSummary> {
  const dice = openDice((line) => t.comment(line));
  const oracle = new Oracle();
  const config = writeConfig(temporaryFolder(t), { 'storage.conf': storage });
  let product = await Product.start({ config });
  t.teardown(() => product.destroy());
  let round = 0;
  let faults = 0;
  const judge = (what: string) => {
    const { versions, sessions } = oracle;
    t.same(oracle.faults, [], `${what}: ${versions.size} acknowledged versions, ${sessions.size} open sessions`);
    faults += oracle.faults.splice(0).length;
  };
  while (goesOn(round + 1)) {
    round += 1;
    const victim = dice.pick(victims);
    product = await oneRound({ product, victim, config }, dice, oracle);
    await repeatLostRequests(product, oracle);
    await resumeSessions(product, oracle, dice, 0.4);
    if (round % readEvery === 0) await readEverything(product, oracle);
    judge(`round ${round} (${victim})`);
  }
  await resumeSessions(product, oracle, dice, 0);
  const versions = await readEverything(product, oracle);
  judge('in the end');
  if (victims.includes('database')) t.ok(oracle.unavailable > 0, `503 was answered ${oracle.unavailable} times meanwhile`);
  t.ok(oracle.versions.size >= round, 'the load stored something in every round');
  t.equal(await product.stop(), 0, 'and it ends in order');
  return { seed: dice.seed, rounds: round, versions, faults };
}

interface Scene {
  readonly product: Product;
  readonly victim: Victim;
  readonly config: string;
}

/** Returns the product that serves after it, the same or its successor on the same data. */
async function oneRound({ product, victim, config }: Scene, dice: Dice, oracle: Oracle): Promise<Product> {
  const told = product.output.length;
  const stored = oracle.versions.size;
  const load = new DrillLoad(product, dice, oracle);
  await sleep(dice.int(LOAD_MS.least, LOAD_MS.most));
  if (victim === 'database') {
    await killDatabase(product, dice);
    await untilDatabaseIsBack(product, told);
    await sleep(LOAD_AFTER_MS);
    await load.end();
    await checkLog(oracle, () => product.output.slice(told), [/PostgreSQL ended unexpectedly; starting it again/]);
    return product;
  }
  if (victim === 'both') await killDatabase(product, dice);
  if (victim === 'nobody') await load.end();
  const code = await product.stop(victim === 'nobody' ? 'SIGTERM' : 'SIGKILL');
  if (victim === 'nobody' && code !== 0) oracle.fault(`SIGTERM ended it with exit code ${code}`);
  await load.end();
  const again = await Product.start({ data: product.data, config });
  if (victim === 'node') await checkLog(oracle, () => again.output, [/stopped the PostgreSQL that an earlier run left behind/]);
  const wrote = oracle.versions.size > stored;
  if (victim !== 'nobody' && wrote) await checkLog(oracle, () => again.output, [/was left open and is sealed now/]);
  return again;
}

/** The ways in which a PostgreSQL server goes: killed, told to drop everything, told to hurry. */
async function killDatabase(product: Product, dice: Dice): Promise<void> {
  process.kill(await product.databasePid(), dice.pick(['SIGKILL', 'SIGKILL', 'SIGQUIT', 'SIGINT'] as const));
  // Sometimes the other one goes at the very same moment, sometimes it has seen that the database is gone.
  await sleep(dice.int(0, 40));
}

async function untilDatabaseIsBack(product: Product, told: number): Promise<void> {
  while (!product.output.slice(told).includes('PostgreSQL ended unexpectedly')) await sleep(5);
  while ((await call(product, { path: '/v1/ready' })).status !== 200) await sleep(10);
}

/** An operator who reads the log alone must learn what happened. Its lines may come a little after the answers. */
async function checkLog(oracle: Oracle, said: () => string, expected: readonly RegExp[]): Promise<void> {
  for (const line of expected) {
    for (let waited = 0; waited < LOG_MS_MAX && !line.test(said()); waited += 10) await sleep(10);
    if (!line.test(said())) oracle.fault(`the log does not say ${line.source}`);
  }
}
