import { isDeepStrictEqual } from 'node:util';
import type { BenchResults, ScenarioResult } from './results.ts';

export interface Merged {
  readonly results: BenchResults;
  /** What became of the results before, for whoever ran the benches. */
  readonly said: readonly string[];
}

/**
 * Joins the results of a run with those before, by a rule that never mixes runs, since ratios hold within one:
 * - Results of another machine go, all of them: figures of two machines on one page would be compared.
 * - A scenario that was run replaces its result whole. It says so when peers leave the page with it.
 * - But a result with more peers, of the same machine and commit, stays, and what was run now is only printed.
 * - A scenario that was not run keeps its result.
 *
 * Scenarios stand in `order`; one that is not in it is gone from the benches and from the results.
 */
export function mergeResults(before: BenchResults | undefined, now: BenchResults, order: readonly string[]): Merged {
  const said: string[] = [];
  const comparable = before !== undefined && isDeepStrictEqual(before.machine, now.machine) ? before : undefined;
  if (before !== undefined && comparable === undefined) said.push('The results that were there are of another machine, and go.');
  const byName = new Map<string, ScenarioResult>();
  for (const scenario of comparable?.scenarios ?? []) {
    byName.set(scenario.name, { ...scenario, versions: scenario.versions ?? comparable?.versions ?? {} });
  }
  for (const scenario of now.scenarios) {
    const kept = byName.get(scenario.name);
    const leaving = kept === undefined ? [] : peersOf(kept).filter((peer) => !peersOf(scenario).includes(peer));
    if (kept !== undefined && leaving.length > 0 && kept.commit === scenario.commit) {
      said.push(
        `${scenario.name}: the result of the same commit with ${leaving.join(', ')} stays; run it with these peers to replace it.`,
      );
      continue;
    }
    if (leaving.length > 0)
      said.push(`${scenario.name}: replaced; ${leaving.join(', ')}, measured at ${kept?.commit}, left with the old result.`);
    byName.set(scenario.name, { ...scenario, versions: now.versions });
  }
  const scenarios = order.map((name) => byName.get(name)).filter((scenario) => scenario !== undefined);
  return { results: { ...now, scenarios }, said };
}

/** The programs of others that took part; their settings follow a comma or stand as a flag. */
export function peersOf({ tables }: ScenarioResult): string[] {
  const names = tables.flatMap(({ rows }) => rows.filter(({ role }) => role === 'peer').map(({ candidate }) => candidate));
  return [...new Set(names.map((name) => name.split(/, | --/, 1)[0] as string))];
}
