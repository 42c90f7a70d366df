import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { readEverything, repeatLostRequests, resumeSessions } from './drill-check.ts';
import { type Dice, openDice } from './drill-dice.ts';
import { ask } from './drill-http.ts';
import { DrillLoad } from './drill-load.ts';
import { Oracle } from './drill-oracle.ts';
import { Product } from './product.ts';

export type Victim = 'node' | 'database' | 'both';

export interface KillDrill {
  readonly victim: Victim;
  readonly rounds: number;
}

export interface DrillSummary {
  readonly seed: number;
  readonly rounds: number;
  readonly versions: number;
  readonly faults: number;
}

/** Time under load before the kill, in ms: from the first requests to many. */
const LOAD_MS = { least: 30, most: 700 };
/** Load that goes on after a database has come back. */
const LOAD_AFTER_MS = 150;

/**
 * Kills under mixed load, starts again what does not start by itself, and compares the product with what it had
 * acknowledged, round by round. The oracle lives through all rounds: nothing may get lost later either.
 */
export async function killDrill(t: Test, { victim, rounds }: KillDrill): Promise<DrillSummary> {
  const dice = openDice((line) => t.comment(line));
  const oracle = new Oracle();
  let product = await Product.start();
  t.teardown(() => product.destroy());
  let versions = 0;
  let faults = 0;
  for (let round = 1; round <= rounds; round++) {
    const told = product.output.length;
    const stored = oracle.versions.size;
    const load = new DrillLoad(product.url, dice, oracle);
    await sleep(dice.int(LOAD_MS.least, LOAD_MS.most));
    if (victim === 'database') {
      await killDatabase(product, dice);
      await untilDatabaseIsBack(product, told);
      await sleep(LOAD_AFTER_MS);
      await load.end();
    } else {
      if (victim === 'both') await killDatabase(product, dice);
      await product.kill();
      await load.end();
      product = await Product.start({ data: product.data });
    }
    checkLog(oracle, {
      said: product.output.slice(victim === 'database' ? told : 0),
      victim,
      wrote: oracle.versions.size > stored,
    });
    await repeatLostRequests(product.url, oracle);
    await resumeSessions(product.url, oracle, dice, round === rounds ? 0 : 0.4);
    versions = await readEverything(product.url, oracle);
    t.same(
      oracle.faults,
      [],
      `round ${round}: ${oracle.versions.size} acknowledged versions, ${oracle.sessions.size} open sessions`,
    );
    faults += oracle.faults.splice(0).length;
  }
  t.ok(oracle.versions.size >= rounds, 'the load stored something in every round');
  t.equal(await product.stop(), 0, 'and it ends in order');
  return { seed: dice.seed, rounds, versions, faults };
}

/** The ways in which a PostgreSQL server goes: killed, told to drop everything, told to hurry, a backend shot. */
async function killDatabase(product: Product, dice: Dice): Promise<void> {
  process.kill(await product.databasePid(), dice.pick(['SIGKILL', 'SIGKILL', 'SIGQUIT', 'SIGINT'] as const));
  // Sometimes the other one goes at the very same moment, sometimes it has seen that the database is gone.
  await sleep(dice.int(0, 40));
}

async function untilDatabaseIsBack(product: Product, told: number): Promise<void> {
  while (!product.output.slice(told).includes('PostgreSQL ended unexpectedly')) await sleep(5);
  while ((await ask(product.url, { path: '/v1/ready' }))?.status !== 200) await sleep(10);
}

/** An operator who reads the log alone must learn what happened. */
function checkLog(oracle: Oracle, { said, victim, wrote }: { said: string; victim: Victim; wrote: boolean }): void {
  const expected: Record<Victim, readonly RegExp[]> = {
    node: [/stopped the PostgreSQL that an earlier run left behind/],
    database: [/PostgreSQL ended unexpectedly; starting it again/],
    both: [],
  };
  const lines = [...expected[victim], ...(wrote && victim !== 'database' ? [/was left open and is sealed now/] : [])];
  for (const line of lines) if (!line.test(said)) oracle.fault(`the log does not say ${line.source}`);
}
