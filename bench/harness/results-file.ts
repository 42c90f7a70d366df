import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawCharts } from './charts.ts';
import { renderPage } from './page.ts';
import type { BenchResults } from './results.ts';
import { mergeResults } from './results-merge.ts';
import { repository } from './workspace.ts';

const FOLDER = join(repository, 'docs', 'benchmarks');
const FILE = join(FOLDER, 'results.json');

/**
 * Writes results, charts and page, joined with the results before as `mergeResults` says. Returns what became of those,
 * in lines to print.
 */
export async function writeResults(now: BenchResults, order: readonly string[]): Promise<readonly string[]> {
  const { results, said } = mergeResults(readResults(), now, order);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(results, rounded, 2)}\n`);
  await writePage(results);
  return said;
}

/** Undefined when nothing was measured yet. */
export function readResults(): BenchResults | undefined {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as BenchResults) : undefined;
}

/** The page and its charts. Charts of tables that are no more go. */
export async function writePage(results: BenchResults): Promise<void> {
  const charts = await drawCharts(results.scenarios);
  for (const name of readdirSync(FOLDER)) if (name.endsWith('.svg')) rmSync(join(FOLDER, name));
  for (const { fileName, svg } of charts.all) writeFileSync(join(FOLDER, fileName), svg);
  writeFileSync(join(FOLDER, 'README.md'), renderPage(results, charts));
}

/** More digits than a clock gives are noise in every diff. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
