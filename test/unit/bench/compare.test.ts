import t from 'tap';
import { compareRatios, type Movement, movementOf, renderMoves } from '../../../bench/harness/compare.ts';
import type { ScenarioResult, Verdict } from '../../../bench/harness/results.ts';
import { exampleResults } from '../../helpers/bench-results.ts';

const { scenarios } = exampleResults();

t.test('a ratio has moved when the two spreads have nothing in common', async (t) => {
  const cases: readonly (readonly [readonly [number, number], readonly [number, number], Movement])[] = [
    [[0.7, 0.9], [0.7, 0.9], 'within'],
    [[0.7, 0.9], [0.5, 0.69], 'worse'],
    [[0.7, 0.9], [0.5, 0.7], 'within'],
    [[0.7, 0.9], [0.91, 1], 'better'],
    [[0.7, 0.9], [0.9, 1], 'within'],
    [[0.7, 0.9], [0.1, 2], 'within'],
    [[0.7, 0.9], [0.8, 0.8], 'within'],
  ];
  for (const [was, now, movement] of cases) t.equal(movementOf(ratio(...was), ratio(...now)), movement, `${was} to ${now}`);
});

t.test('where less was promised, less is better', async (t) => {
  const promise = { atMost: 5 };
  t.equal(movementOf({ ...ratio(1, 2), promise }, { ...ratio(3, 4), promise }), 'worse');
  t.equal(movementOf({ ...ratio(3, 4), promise }, { ...ratio(1, 2), promise }), 'better');
});

t.test('a ratio without a spread is a point', async (t) => {
  const point = (value: number): Verdict => ({ subject: 'of another', value, unit: '×' });
  t.equal(movementOf(point(1), point(1)), 'within');
  t.equal(movementOf(point(1), point(0.9)), 'worse');
  t.equal(movementOf(ratio(0.8, 1), point(0.9)), 'within');
});

t.test('every ratio of now is compared, and nothing else', async (t) => {
  const moves = compareRatios(scenarios, scenarios);
  t.same(
    moves.map(({ now }) => now.value),
    [0.736, 1.86, 1.32, 0.318],
  );
  t.ok(moves.every(({ movement }) => movement === 'within'));
});

t.test('the better of two others may be another one than before', async (t) => {
  const renamed = withVerdicts(({ subject, ...rest }) => ({
    ...rest,
    subject: subject.replace('(native: receive, hash, write)', '(native: write)'),
  }));
  t.notOk(compareRatios(scenarios, renamed).some(({ movement }) => movement === 'new'));
});

t.test('what was not measured before is new', async (t) => {
  t.ok(compareRatios([], scenarios).every(({ movement, was }) => movement === 'new' && was === undefined));
});

t.test('the table has both spreads, how far it moved, and what is worth a second look', async (t) => {
  const halved = withVerdicts(({ value, min = value, max = value, ...rest }) => ({
    ...rest,
    value: value / 2,
    min: min / 2,
    max: max / 2,
  }));
  const [, first = '', second = ''] = renderMoves(compareRatios(scenarios, halved));
  t.match(first, /^upload-100mb {2}1 stream.*0\.736 × \(0\.612–0\.758\) +0\.368 × \(0\.306–0\.379\) +-50 % {2}WORSE$/);
  t.match(second, /of MinIO, one drive +1\.86 × .* -50 % {2}WORSE$/);
  t.match(renderMoves(compareRatios([], scenarios))[1], / not measured .* new$/);
});

function ratio(min: number, max: number): Verdict {
  return { subject: 'of another', value: (min + max) / 2, min, max, unit: '×' };
}

function withVerdicts(change: (verdict: Verdict) => Verdict): ScenarioResult[] {
  return scenarios.map((scenario) => ({
    ...scenario,
    tables: scenario.tables.map((table) => ({ ...table, verdicts: table.verdicts.map(change) })),
  }));
}
