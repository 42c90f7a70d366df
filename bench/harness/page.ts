import type { Chart, Charts } from './charts.ts';
import { howToRun, method } from './page-method.ts';
import type { BenchResults, Bound, ScenarioResult, Table, Verdict } from './results.ts';
import { peersOf } from './results-merge.ts';
import { cellsOf, DURABILITY_HEAD, judgement, verdictFigure, verdictText } from './table-text.ts';

/** docs/benchmarks/README.md. */
export function renderPage(results: BenchResults, charts: Charts): string {
  const { machine, scenarios } = results;
  return [
    '# Benchmarks',
    '',
    '<!-- Written by `npm run bench`. Change bench/ instead. -->',
    '',
    'Quasar beside what the same machine can do without it: other servers with the same bytes, and native programs with the same work and the same fsyncs.',
    'Ratios are what counts: both sides were measured in turn, in one run. Absolute figures describe one machine on one day.',
    'Where the time goes, and what stands in the way of more, is in [why.md](why.md); how it is measured is under [Method](#method).',
    '',
    '## Promises',
    '',
    ...chartLines(charts.ratios),
    ...markdownTable(['scenario', 'figure', 'measured', 'promised', 'aimed at', ''], scenarios.flatMap(promiseLines), [
      'scenario',
      'figure',
    ]),
    '',
    '## Machine',
    '',
    ...markdownTable(['', 'measured with'], [...Object.entries(machine), ...versionLines(results)], ['', 'measured with']),
    '',
    ...scenarios.flatMap((scenario) => scenarioLines(scenario, charts)),
    ...method,
    '',
    ...howToRun,
    '',
  ].join('\n');
}

function promiseLines({ name, tables }: ScenarioResult): string[][] {
  return tables.flatMap((table) =>
    table.verdicts.filter((verdict) => judgement(verdict) !== '').map((verdict) => promiseLine(name, table, verdict)),
  );
}

function promiseLine(scenario: string, table: Table, verdict: Verdict): string[] {
  const { subject, promise, aim } = verdict;
  const judged = judgement(verdict).replace('missed', '**missed**');
  return [scenario, `${table.title}: ${subject}`, verdictFigure(verdict), bound(promise), bound(aim), judged];
}

function bound(wanted: Bound | undefined): string {
  if (wanted === undefined) return '';
  return 'atLeast' in wanted ? `≥ ${wanted.atLeast}` : `≤ ${wanted.atMost}`;
}

/** Results that were kept from another run may have been measured with other versions: then each is named with its scenarios. */
function versionLines({ versions, scenarios }: BenchResults): string[][] {
  const names = new Set([...Object.keys(versions), ...scenarios.flatMap((scenario) => Object.keys(scenario.versions ?? {}))]);
  return [...names].map((name) => {
    const users = new Map<string, string[]>();
    for (const { name: scenario, versions: its = versions } of scenarios) {
      const version = its[name];
      if (version !== undefined) users.set(version, [...(users.get(version) ?? []), scenario]);
    }
    const [only = versions[name] ?? ''] = users.keys();
    const each = [...users].map(([version, its]) => `${version} (${its.join(', ')})`);
    return [name, users.size > 1 ? each.join('; ') : only];
  });
}

function scenarioLines(scenario: ScenarioResult, charts: Charts): string[] {
  const { name, title, runs, measuredAt, commit, load, tables } = scenario;
  const peers = peersOf(scenario);
  return [
    `## ${name}`,
    '',
    `${title}. ${runs} ${runs === 1 ? 'round' : 'rounds'}, ${measuredAt.slice(0, 10)}, commit ${commit}, load average at its end ${load}. Measured beside: ${peers.length === 0 ? 'no other program' : peers.join(', ')}.`,
    '',
    ...tables.flatMap((table) => tableLines(table, charts.ofTable.get(table))),
  ];
}

function tableLines(table: Table, chart: Chart | undefined): string[] {
  const [heads, ...lines] = table.rows.length === 0 ? [] : cellsOf(table);
  return [
    `### ${table.title}`,
    '',
    ...chartLines(chart),
    ...(heads === undefined ? [] : [...markdownTable(heads, lines, ['', DURABILITY_HEAD]), '']),
    ...table.verdicts.map((verdict) => `- ${escaped(verdictText(verdict))}`),
    ...table.notes.map((note) => `- ${escaped(note)}`),
    '',
  ];
}

function chartLines(chart: Chart | undefined): string[] {
  return chart === undefined ? [] : [`![${escaped(chart.text).replaceAll(/[[\]]/g, '\\$&')}](${chart.fileName})`, ''];
}

/** `words` are the heads of columns that do not hold figures. */
function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[], words: readonly string[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => escaped(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map((head) => (words.includes(head) ? '---' : '---:'))), ...lines.map(line)];
}

/** Names and titles are text, not markup. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
