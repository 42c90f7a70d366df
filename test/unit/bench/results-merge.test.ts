import t from 'tap';
import type { BenchResults, ScenarioResult } from '../../../bench/harness/results.ts';
import { mergeResults, peersOf } from '../../../bench/harness/results-merge.ts';
import { exampleResults } from '../../helpers/bench-results.ts';

const before = exampleResults();
const [uploads, memory] = before.scenarios as [ScenarioResult, ScenarioResult];
const order = ['upload-100mb', 'memory'];
const withoutMinio: ScenarioResult = {
  ...uploads,
  measuredAt: '2026-11-22T00:00:00.000Z',
  tables: uploads.tables.map((table) => ({
    ...table,
    rows: table.rows.filter(({ candidate }) => !candidate.startsWith('MinIO')),
  })),
};

t.test('peers are named once, without their settings', async (t) => {
  t.same(peersOf(uploads), ['MinIO', 'nginx <dav> & "PUT"']);
  t.same(peersOf(memory), []);
});

t.test('without results before, those of the run stand', async (t) => {
  const { results, said } = mergeResults(undefined, before, order);
  t.same(namesOf(results), order);
  t.same(said, []);
});

t.test('a scenario that was not run keeps its result and what it was measured with', async (t) => {
  const now = { ...before, versions: { quasar: '0.2.0' }, scenarios: [{ ...uploads, commit: 'new1234' }] };
  const { results, said } = mergeResults(before, now, order);
  t.same(namesOf(results), order);
  t.equal(results.scenarios[0]?.commit, 'new1234');
  t.same(results.scenarios[0]?.versions, { quasar: '0.2.0' });
  t.same(results.scenarios[1]?.versions, before.versions);
  t.same(said, []);
});

t.test('fewer peers at the same commit replace nothing, and it is said', async (t) => {
  const { results, said } = mergeResults(before, { ...before, scenarios: [withoutMinio] }, order);
  t.equal(results.scenarios[0]?.measuredAt, uploads.measuredAt);
  t.match(said, [/^upload-100mb: the result of the same commit with MinIO stays/]);
});

t.test('fewer peers at another commit replace the result whole, and it is said', async (t) => {
  const { results, said } = mergeResults(before, { ...before, scenarios: [{ ...withoutMinio, commit: 'new1234' }] }, order);
  t.same(peersOf(results.scenarios[0] as ScenarioResult), ['nginx <dav> & "PUT"']);
  t.match(said, [/^upload-100mb: replaced; MinIO, measured at abc1234, left/]);
});

t.test('results of another machine go, and it is said', async (t) => {
  const { results, said } = mergeResults(before, { ...before, machine: { cpu: 'other' }, scenarios: [memory] }, order);
  t.same(namesOf(results), ['memory']);
  t.match(said, [/of another machine/]);
});

t.test('what the benches do not know any more leaves the results', async (t) => {
  const { results } = mergeResults(before, { ...before, scenarios: [] }, ['memory']);
  t.same(namesOf(results), ['memory']);
});

function namesOf({ scenarios }: BenchResults): string[] {
  return scenarios.map(({ name }) => name);
}
