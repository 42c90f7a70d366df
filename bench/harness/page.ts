import { type BenchResults, isKept, type ScenarioResult, type Table, type Verdict } from './results.ts';
import { cellsOf, figure, verdictText } from './table-text.ts';

/** docs/benchmarks/README.md. */
export function renderPage({ machine, versions, scenarios }: BenchResults): string {
  return [
    '# Benchmarks',
    '',
    '<!-- Written by `npm run bench`. Change bench/ instead. -->',
    '',
    'Quasar beside what the same machine can do without it: native programs with the same work and the same fsyncs, and nginx.',
    'Ratios are what counts: both sides were measured in turn, in one run. Absolute figures describe one machine on one day.',
    '',
    '## Promises',
    '',
    ...markdownTable(['scenario', 'figure', 'measured', 'promised', ''], scenarios.flatMap(promiseLines)),
    '',
    '## Machine',
    '',
    ...markdownTable(
      ['', ''],
      [...Object.entries(machine), ...Object.entries(versions)].map(([name, value]) => [name, value]),
    ),
    '',
    ...scenarios.flatMap(scenarioLines),
    ...howToRead,
    '',
    ...howToRun,
    '',
  ].join('\n');
}

function promiseLines({ name, tables }: ScenarioResult): string[][] {
  return tables.flatMap((table) =>
    table.verdicts.filter(({ promise }) => promise !== undefined).map((verdict) => promiseLine(name, table, verdict)),
  );
}

function promiseLine(scenario: string, table: Table, verdict: Verdict): string[] {
  const { subject, value, unit, promise } = verdict;
  const bound = promise === undefined ? '' : 'atLeast' in promise ? `≥ ${promise.atLeast}` : `≤ ${promise.atMost}`;
  return [scenario, `${table.title}: ${subject}`, `${figure(value)} ${unit}`, bound, isKept(verdict) ? 'kept' : '**missed**'];
}

function scenarioLines({ name, title, runs, measuredAt, commit, load, tables }: ScenarioResult): string[] {
  return [
    `## ${name}`,
    '',
    `${title}. ${runs} ${runs === 1 ? 'run' : 'runs'}, ${measuredAt.slice(0, 10)}, commit ${commit}, load average at its end ${load}.`,
    '',
    ...tables.flatMap(tableLines),
  ];
}

function tableLines(table: Table): string[] {
  const [heads, ...lines] = table.rows.length === 0 ? [] : cellsOf(table);
  return [
    `### ${table.title}`,
    '',
    ...(heads === undefined ? [] : [...markdownTable(heads, lines), '']),
    ...table.verdicts.map((verdict) => `- ${verdictText(verdict)}`),
    ...table.notes.map((note) => `- ${note}`),
    '',
  ];
}

function markdownTable(heads: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map((_, column) => (column === 0 ? '---' : '---:'))), ...lines.map(line)];
}

const howToRead = [
  '## How to read this',
  '',
  '- MB is 10⁶ bytes. A row gives the median of its runs and their spread. A ratio is one of medians; its spread is that of the ratios within each round.',
  '- Candidates take turns, each round beginning with the next one. Before each measurement the disk settles; where memory matters, 2 GiB are touched first.',
  '- A load average of far more than two for each core means that somebody else used the machine, and that the figures are worth little.',
  '- Client and server share the machine, over loopback. CPU s/GB is user and system time of the server and its children, PostgreSQL included, over all runs.',
  '- Every upload sends bytes that the store does not have. After the runs the store must list exactly what it acknowledged, and one upload is read back and hashed. Downloads and ranges are compared with the file once for each server. `failures` counts answers other than 2xx and broken connections.',
  '- `native: write` is the disk with the batches, the pieces in flight and the fdatasyncs of the segment writer; `native: receive, hash, write` is a C program that does the work of an upload: receive on loopback, BLAKE3 of each block, BLAKE3 and SHA-256 of the whole, O_DIRECT, fdatasync. The slower of the two is the ceiling.',
  '- nginx runs 2 workers with `tcp_nopush off`, once with `sendfile on` and once off; the better counts. It checks nothing of what it sends.',
];

const howToRun = [
  '## How to run it',
  '',
  '`npm run bench` runs everything in about eight minutes, needs Linux, a C compiler, make and 12 GB of disk, and uses nginx and wrk where they are installed (`apt-get install nginx wrk`). It writes this page and `results.json`.',
  '',
  '- `npm run bench -- --only ranges` runs one scenario (repeatable) and replaces its part of the page when the machine is the same.',
  '- `--runs N` sets how often each candidate is measured (5). `--dir DIR` says which disk is measured (`data/` of the clone).',
];
