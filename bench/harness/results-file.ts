import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawCharts } from './charts.ts';
import { renderPage } from './page.ts';
import type { BenchResults } from './results.ts';
import { mergeResults } from './results-merge.ts';
import { repository } from './workspace.ts';

const FOLDER = join(repository, 'docs', 'benchmarks');
const FILE = 'results.json';

/** Throws when a folder for results holds something else, which the page and its charts would replace. */
export function assertForResults(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, FILE)))
    throw new Error(`${folder} holds something else than results of the benches; name a new or empty folder`);
}

/**
 * Writes results, charts and page, joined with the results before as `mergeResults` says. Returns what became of those,
 * in lines to print.
 */
export async function writeResults(now: BenchResults, order: readonly string[], folder = FOLDER): Promise<readonly string[]> {
  const { results, said } = mergeResults(readResults(folder), now, order);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, FILE), `${JSON.stringify(results, rounded, 2)}\n`);
  // Read back, so that page and charts are those of the file to the last digit.
  await writePage(readResults(folder) ?? results, folder);
  return said;
}

/** Undefined when nothing was measured yet. */
export function readResults(folder = FOLDER): BenchResults | undefined {
  const file = join(folder, FILE);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchResults) : undefined;
}

/** The page and its charts. Charts of tables that are no more go. */
export async function writePage(results: BenchResults, folder = FOLDER): Promise<void> {
  const charts = await drawCharts(results.scenarios);
  for (const name of readdirSync(folder)) if (name.endsWith('.svg')) rmSync(join(folder, name));
  for (const { fileName, svg } of charts.all) writeFileSync(join(folder, fileName), svg);
  writeFileSync(join(folder, 'README.md'), renderPage(results, charts));
}

/** More digits than a clock gives are noise in every diff. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
