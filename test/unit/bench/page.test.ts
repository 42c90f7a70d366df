import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { drawCharts } from '../../../bench/harness/charts.ts';
import { renderPage } from '../../../bench/harness/page.ts';
import type { BenchResults } from '../../../bench/harness/results.ts';
import { readResults } from '../../../bench/harness/results-file.ts';
import { printScenario } from '../../../bench/harness/terminal-report.ts';
import { exampleResults } from '../../helpers/bench-results.ts';
import { repository } from '../../helpers/source-files.ts';

t.test('promises stand beside what was measured and aimed at', async (t) => {
  const lines = await pageOf(exampleResults());
  const wanted = [
    '| upload-100mb | 1 stream, fresh files (a new node): of the slower ceiling (native: receive, hash, write) | 0.736 × (0.612–0.758) | ≥ 0.7 | ≥ 0.9 | kept |',
    '| upload-100mb | 1 stream, fresh files (a new node): of MinIO, one drive | 1.86 × (1.67–2.85) | ≥ 2 | ≥ 2.5 | **missed** |',
    '| upload-100mb | 1 stream, fresh files (a new node): of MinIO without MD5 (MinIO, one drive, --no-compat, presigned) | 1.32 × (0.9–2.15) |  | ≥ 1.3 | aim reached |',
    '| memory | peak: uploads, fast clients | 189 MB | ≤ 300 | ≤ 200 | kept, aim reached |',
  ];
  for (const line of wanted) t.ok(lines.includes(line), line);
});

t.test('rows about uploads say what was synced, and which were held up by the client', async (t) => {
  const lines = await pageOf(exampleResults());
  t.ok(lines.includes('|  | median MB/s | min–max | of null server | CPU s/GB | failures | synced before the reply |'));
  t.ok(lines.includes('| --- | ---: | ---: | ---: | ---: | ---: | --- |'));
  t.ok(
    lines.includes('| nginx &lt;dav> &amp; "PUT" | 2,556 | 530–2,900 | client-bound 0.85 |  | 0 | not durable: nothing synced |'),
  );
});

t.test('a row measured once has no spread', async (t) => {
  t.ok((await pageOf(exampleResults())).includes('| uploads, fast clients | 189 | 0 |'));
});

t.test('charts are shown with words for those who do not see them', async (t) => {
  const lines = await pageOf(exampleResults());
  const shown = lines.filter((line) => line.startsWith('!['));
  t.equal(shown.length, 3);
  t.match(shown[1], /^!\[1 stream, fresh files.*MinIO, one drive 437.*\]\(upload-100mb-1-stream-fresh-files\.svg\)$/);
});

t.test('a scenario says beside whom it was run', async (t) => {
  const text = (await pageOf(exampleResults())).join('\n');
  t.match(text, /Upload of 100,000,000 bytes\. 3 rounds, 2026-11-21, commit abc1234.*Measured beside: MinIO, nginx/);
  t.match(text, /Memory of the process\. 1 round,.*Measured beside: no other program\./);
});

t.test('versions that differ from scenario to scenario are named with them', async (t) => {
  const { scenarios, ...rest } = exampleResults();
  const [uploads, memory] = scenarios.map((scenario, index) => ({ ...scenario, versions: { node: `20.${index}`, wrk: '4.1' } }));
  if (uploads === undefined || memory === undefined) throw new Error('the example has two scenarios');
  const lines = await pageOf({ ...rest, scenarios: [uploads, memory] });
  t.ok(lines.includes('| node | 20.0 (upload-100mb); 20.1 (memory) |'));
  t.ok(lines.includes('| wrk | 4.1 |'));
  t.ok(lines.includes('| cpu | 2 × Example &lt;CPU> &amp; Co |'));
});

t.test('the page says how everything is measured and run, and where the rest is', async (t) => {
  const text = (await pageOf(exampleResults())).join('\n');
  for (const part of [
    '## Method',
    '### What is not measured',
    '## How to run it',
    '(why.md)',
    '(../load.md)',
    'npm run bench:quick',
  ])
    t.ok(text.includes(part), part);
});

t.test('the page and the charts in docs are those of results.json; npm run docs makes them so', async (t) => {
  const results = readResults();
  if (results === undefined) throw new Error('docs/benchmarks/results.json is not there');
  const folder = join(repository, 'docs', 'benchmarks');
  const charts = await drawCharts(results.scenarios);
  t.ok(readFileSync(join(folder, 'README.md'), 'utf8') === renderPage(results, charts), 'README.md');
  for (const { fileName, svg } of charts.all) t.ok(readFileSync(join(folder, fileName), 'utf8') === svg, fileName);
  const drawn = readdirSync(folder).filter((name) => name.endsWith('.svg'));
  t.equal(drawn.length, charts.all.length, 'no chart is left over');
});

t.test('the terminal has figures to the right and words to the left', async (t) => {
  const lines: string[] = [];
  const [uploads] = exampleResults().scenarios;
  if (uploads !== undefined) printScenario(uploads, (line) => lines.push(line));
  t.ok(lines.some((line) => /^ {4}Quasar {2,}813 {2,}738–820 {2,}0\.27 {2,}1\.66 {2,}0 {2}data and names synced$/.test(line)));
  t.ok(lines.some((line) => line.includes('promised at least 2, aim at least 2.5: missed')));
});

async function pageOf(results: BenchResults): Promise<string[]> {
  return renderPage(results, await drawCharts(results.scenarios)).split('\n');
}
