import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { renderPage } from './page.ts';
import type { BenchResults, ScenarioResult } from './results.ts';
import { repository } from './workspace.ts';

const FOLDER = join(repository, 'docs', 'benchmarks');
const FILE = join(FOLDER, 'results.json');

/**
 * Writes results and page. Scenarios that were not run keep the figures they had, as long as those are of the same
 * machine: figures of two machines on one page would be compared.
 */
export function writeResults(now: BenchResults, order: readonly string[]): void {
  const before = readResults();
  const comparable = before !== undefined && isDeepStrictEqual(before.machine, now.machine);
  const byName = new Map<string, ScenarioResult>();
  for (const scenario of comparable ? before.scenarios : []) byName.set(scenario.name, scenario);
  for (const scenario of now.scenarios) byName.set(scenario.name, scenario);
  const scenarios = order.map((name) => byName.get(name)).filter((scenario) => scenario !== undefined);
  const results = { ...now, scenarios };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(join(FOLDER, 'README.md'), renderPage(results));
}

function readResults(): BenchResults | undefined {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as BenchResults) : undefined;
}

/** More digits than a clock gives are noise in every diff. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
