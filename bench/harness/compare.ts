import type { ScenarioResult, Verdict } from './results.ts';
import { verdictFigure } from './table-text.ts';
import { aligned } from './terminal-report.ts';

/**
 * Ratios of a run against those of a run before.
 *
 * A ratio has moved when the two spreads, each from the least to the most of its rounds, have nothing in common: then even
 * the best round of one run is beyond the worst of the other. Without any change that happens by chance to one ratio in
 * some thirty with five rounds and three, half of the time for the better; what has moved is worth a second run.
 */

export type Movement = 'better' | 'worse' | 'within' | 'new';

export interface Move {
  readonly scenario: string;
  readonly table: string;
  readonly now: Verdict;
  /** Undefined when the run before does not have this ratio. */
  readonly was: Verdict | undefined;
  readonly movement: Movement;
}

/** One for every ratio of the run now, in its order. */
export function compareRatios(before: readonly ScenarioResult[], now: readonly ScenarioResult[]): Move[] {
  return now.flatMap((scenario) =>
    scenario.tables.flatMap((table) =>
      table.verdicts
        .filter(({ unit }) => unit === '×')
        .map((verdict) => {
          const was = findVerdict(before, { scenario: scenario.name, table: table.title, subject: verdict.subject });
          return { scenario: scenario.name, table: table.title, now: verdict, was, movement: movementOf(was, verdict) };
        }),
    ),
  );
}

/** `was` and `now` are of the same ratio. A ratio without a spread is a point. */
export function movementOf(was: Verdict | undefined, now: Verdict): Movement {
  if (was === undefined) return 'new';
  const [wasLeast, wasMost] = spreadOf(was);
  const [nowLeast, nowMost] = spreadOf(now);
  if (nowLeast <= wasMost && nowMost >= wasLeast) return 'within';
  return nowLeast > wasMost === isMoreBetter(now) ? 'better' : 'worse';
}

/** Lines of a table for a terminal. */
export function renderMoves(moves: readonly Move[]): string[] {
  const heads = ['scenario', 'ratio', 'was', 'now', 'moved by', ''];
  const lines = moves.map(({ scenario, table, was, now, movement }) => [
    scenario,
    `${table}: ${now.subject}`,
    was === undefined ? 'not measured' : verdictFigure(was),
    verdictFigure(now),
    was === undefined ? '' : movedBy(was, now),
    movement === 'better' || movement === 'worse' ? movement.toUpperCase() : movement,
  ]);
  return aligned([heads, ...lines], ['scenario', 'ratio', '']);
}

function movedBy(was: Verdict, now: Verdict): string {
  const percent = Math.round((now.value / was.value - 1) * 100);
  return `${percent > 0 ? '+' : ''}${percent} %`;
}

function findVerdict(
  scenarios: readonly ScenarioResult[],
  wanted: { readonly scenario: string; readonly table: string; readonly subject: string },
): Verdict | undefined {
  return scenarios
    .find(({ name }) => name === wanted.scenario)
    ?.tables.find(({ title }) => title === wanted.table)
    ?.verdicts.find(({ subject, unit }) => unit === '×' && kindOf(subject) === kindOf(wanted.subject));
}

/** Which of two others was the better, in brackets at the end, may change from run to run; the promise is about the better. */
function kindOf(subject: string): string {
  return subject.replace(/ \([^()]*\)$/, '');
}

function spreadOf({ value, min = value, max = value }: Verdict): readonly [number, number] {
  return [min, max];
}

function isMoreBetter({ promise }: Verdict): boolean {
  return promise === undefined || 'atLeast' in promise;
}
