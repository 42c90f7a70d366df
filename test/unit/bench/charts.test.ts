import t from 'tap';
import { drawCharts } from '../../../bench/harness/charts.ts';
import { wrapText } from '../../../bench/harness/charts-style.ts';
import type { Table } from '../../../bench/harness/results.ts';
import { exampleResults, exampleRow } from '../../helpers/bench-results.ts';
import { xmlFault } from '../../helpers/xml-fault.ts';

const { scenarios } = exampleResults();

t.test('every table that compares has a chart, and there is one of the promised ratios', async (t) => {
  const charts = await drawCharts(scenarios);
  t.same(
    charts.all.map(({ fileName }) => fileName),
    ['promises.svg', 'upload-100mb-1-stream-fresh-files.svg', 'memory-peak.svg'],
  );
  t.equal(charts.ratios?.fileName, 'promises.svg');
});

t.test('charts are well-formed XML, whatever names hold', async (t) => {
  for (const { fileName, svg } of (await drawCharts(scenarios)).all) t.equal(xmlFault(svg), undefined, fileName);
});

t.test('a chart names every candidate but the null server, whose figure it tells', async (t) => {
  const charts = await drawCharts(scenarios);
  for (const [table, { svg, text }] of charts.ofTable) {
    const words = textsOf(svg);
    for (const { candidate } of table.rows.filter(({ role }) => role !== 'null')) {
      t.ok(words.includes(candidate), candidate);
      t.ok(text.includes(candidate), candidate);
    }
  }
  const [first] = charts.ofTable.values();
  t.ok(textsOf(first?.svg ?? '').includes('the client alone reaches 3,000'));
});

t.test('what is not durable and what the client held up is named so', async (t) => {
  const [first] = (await drawCharts(scenarios)).ofTable.values();
  const words = textsOf(first?.svg ?? '');
  t.ok(words.includes('not durable: nothing synced'));
  t.ok(words.includes('2,556, client-bound'));
});

t.test('the chart of promises has figure, promise and aim of each ratio', async (t) => {
  const words = textsOf((await drawCharts(scenarios)).ratios?.svg ?? '');
  for (const expected of [
    '0.736 ×',
    'promised 0.7, aim 0.9',
    '1.86 ×',
    'promised 2, aim 2.5',
    '1.32 ×',
    'not promised, aim reached',
  ])
    t.ok(words.includes(expected), expected);
  t.notOk(words.includes('0.318 ×'), 'what was not promised is not there');
});

t.test('the same results give the same charts', async (t) => {
  const draw = async () => (await drawCharts(exampleResults().scenarios)).all;
  t.same(await draw(), await draw());
});

t.test('tables whose names differ in brackets alone get files of their own', async (t) => {
  const rows = [exampleRow('a', 'quasar', [1]), exampleRow('b', 'peer', [2])];
  const table = (title: string): Table => ({ title, unit: 's', rows, verdicts: [], notes: [] });
  const [scenario] = scenarios;
  if (scenario === undefined) throw new Error('the example has no scenario');
  const charts = await drawCharts([{ ...scenario, tables: [table('one (fresh)'), table('one (written)')] }]);
  t.same(
    charts.all.map(({ fileName }) => fileName),
    ['upload-100mb-one.svg', 'upload-100mb-one-2.svg'],
  );
});

t.test('a table of one row or none has no chart, and no promise no chart of promises', async (t) => {
  const [scenario] = scenarios;
  if (scenario === undefined) throw new Error('the example has no scenario');
  const table: Table = { title: 'one', unit: 's', rows: [exampleRow('a', 'quasar', [1])], verdicts: [], notes: [] };
  t.same((await drawCharts([{ ...scenario, tables: [table] }])).all, []);
});

t.test('text is broken between words, and a long word stays whole', async (t) => {
  t.same(wrapText('one two three', 10, 50), ['one two', 'three']);
  t.same(wrapText('incomprehensibilities of', 10, 50), ['incomprehensibilities', 'of']);
});

/** What stands in the text elements, with its entities resolved and the lines of one text joined. */
function textsOf(svg: string): string {
  const texts = [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, inner = '']) =>
    inner.replaceAll(/<\/tspan>\s*<tspan[^>]*>/g, ' ').replaceAll(/<[^>]*>/g, ''),
  );
  return texts.join('\n').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
