import { ratioChart, ratioChartText } from './charts-ratios.ts';
import { tableChart, tableChartText } from './charts-table.ts';
import type { ScenarioResult, Table } from './results.ts';
import { renderSvg } from './vega-svg.ts';

/** A drawing of the page. */
export interface Chart {
  /** In the folder of the page. */
  readonly fileName: string;
  readonly text: string;
  readonly svg: string;
}

export interface Charts {
  /** The promises; undefined when none is a ratio. */
  readonly ratios: Chart | undefined;
  /** Of the tables that compare something. */
  readonly ofTable: ReadonlyMap<Table, Chart>;
  readonly all: readonly Chart[];
}

/** The same results give the same charts, byte for byte. */
export async function drawCharts(scenarios: readonly ScenarioResult[]): Promise<Charts> {
  const ofTable = new Map<Table, Chart>();
  const taken = new Set<string>();
  for (const scenario of scenarios) {
    for (const table of scenario.tables) {
      const spec = tableChart(scenario.name, table);
      if (spec === undefined) continue;
      const fileName = freeName(fileWords(`${scenario.name} ${table.title}`), taken);
      ofTable.set(table, { fileName, text: tableChartText(table), svg: await renderSvg(spec) });
    }
  }
  const ratios = await drawRatios(scenarios);
  return { ratios, ofTable, all: [...(ratios === undefined ? [] : [ratios]), ...ofTable.values()] };
}

async function drawRatios(scenarios: readonly ScenarioResult[]): Promise<Chart | undefined> {
  const spec = ratioChart(scenarios);
  if (spec === undefined) return undefined;
  return { fileName: 'promises.svg', text: ratioChartText(scenarios), svg: await renderSvg(spec) };
}

/** What stands in brackets explains a title and does not tell it from others. */
function fileWords(text: string): string {
  const words = text.replaceAll(/\([^)]*\)/g, '').toLowerCase();
  return words.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');
}

function freeName(words: string, taken: Set<string>): string {
  let name = `${words}.svg`;
  for (let count = 2; taken.has(name); count += 1) name = `${words}-${count}.svg`;
  taken.add(name);
  return name;
}
