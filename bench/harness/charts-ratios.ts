import type { Mark, Spec } from 'vega';
import {
  cardSpec,
  colours,
  lineHeight,
  MARGIN,
  type Place,
  ruleMark,
  sizes,
  textMark,
  textWidth,
  WIDTH,
  wrapText,
} from './charts-style.ts';
import { type Bound, isKept, isWithin, type ScenarioResult, type Verdict } from './results.ts';
import { figure } from './table-text.ts';

/**
 * What was promised or aimed at as a ratio, on one axis. The axis is logarithmic, so that twice as fast lies as far from equal as
 * half as fast, and dots stand on it, since a bar there would have a length that means nothing.
 */

const LABEL_WIDTH = 380;
const FIGURE_WIDTH = 165;
const ROW_PADDING = 10;
const DOT_AREA = 110;
const AXIS_HEIGHT = 26;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

type Standing = 'kept' | 'missed' | 'reached' | 'open';

const standings: Readonly<Record<Standing, { readonly text: string; readonly colour: string }>> = {
  kept: { text: 'kept', colour: colours.kept },
  missed: { text: 'missed', colour: colours.missed },
  reached: { text: 'not promised, aim reached', colour: colours.quasar },
  open: { text: 'not promised, aim not reached', colour: colours.ceiling },
};

interface Line {
  readonly head: readonly string[];
  readonly subject: readonly string[];
  readonly verdict: Verdict;
  readonly promise: number | undefined;
  readonly standing: Standing;
  readonly aim: number | undefined;
  readonly height: number;
}

/** Undefined when no ratio was promised or aimed at. */
export function ratioChart(scenarios: readonly ScenarioResult[]): Spec | undefined {
  const lines = scenarios.flatMap(linesOf);
  if (lines.length === 0) return undefined;
  const top = MARGIN + lineHeight(sizes.title) + 2 * lineHeight(sizes.small);
  const plotHeight = lines.reduce((total, { height }) => total + height, 0);
  const legendY = top + plotHeight + AXIS_HEIGHT + MARGIN;
  const titleY = MARGIN + sizes.title * 0.8;
  return cardSpec(legendY + MARGIN, {
    marks: [
      textMark(
        'What is promised, and what was measured',
        { x: MARGIN, y: titleY },
        { size: sizes.title, colour: colours.ink, bold: true },
      ),
      textMark(
        'Quasar over the other, both of the same run. Whiskers: the ratios within each round.',
        { x: MARGIN, y: titleY + lineHeight(sizes.title) },
        { size: sizes.small, colour: colours.faint },
      ),
      plot(lines, top, plotHeight),
      ...legend(lines, legendY),
    ],
  });
}

/** What somebody hears who does not see the chart. */
export function ratioChartText(scenarios: readonly ScenarioResult[]): string {
  const lines = scenarios.flatMap(linesOf);
  const counts = (Object.keys(standings) as Standing[])
    .map((standing) => ({ standing, count: lines.filter((line) => line.standing === standing).length }))
    .filter(({ count }) => count > 0);
  const said = counts.map(({ standing, count }) => `${count} ${standings[standing].text}`).join(', ');
  return `Ratios of Quasar to others against what is promised: ${said}. The table below has the figures.`;
}

function linesOf({ name, tables }: ScenarioResult): Line[] {
  return tables.flatMap((table) =>
    table.verdicts.flatMap((verdict) => {
      const promise = leastOf(verdict.promise);
      const aim = leastOf(verdict.aim);
      if (verdict.unit !== '×' || (promise === undefined && aim === undefined)) return [];
      const head = wrapText(`${name}: ${table.title}`, sizes.label, LABEL_WIDTH);
      const subject = wrapText(verdict.subject, sizes.small, LABEL_WIDTH);
      const height = head.length * lineHeight(sizes.label) + subject.length * lineHeight(sizes.small) + ROW_PADDING;
      return [{ head, subject, verdict, promise, aim, standing: standingOf(verdict), height }];
    }),
  );
}

function leastOf(bound: Bound | undefined): number | undefined {
  return bound !== undefined && 'atLeast' in bound ? bound.atLeast : undefined;
}

function standingOf(verdict: Verdict): Standing {
  const isKeptOne = isKept(verdict);
  if (isKeptOne !== undefined) return isKeptOne ? 'kept' : 'missed';
  return verdict.aim !== undefined && isWithin(verdict.aim, verdict.value) ? 'reached' : 'open';
}

function plot(lines: readonly Line[], y: number, height: number): Mark {
  const x = MARGIN + LABEL_WIDTH + 16;
  const width = WIDTH - MARGIN - FIGURE_WIDTH - x;
  const domain = domainOf(lines);
  const [least = 0.5, most = 2] = domain;
  let top = 0;
  const marks = lines.flatMap((line) => {
    const centre = top + line.height / 2;
    top += line.height;
    return [...labels(line, centre, width), ...figures(line, centre)];
  });
  const one = { scale: 'x', value: 1 };
  return {
    type: 'group',
    encode: { enter: { x: { value: x }, y: { value: y }, width: { value: width }, height: { value: height } } },
    signals: [{ name: 'height', value: height }],
    scales: [{ name: 'x', type: 'log', domain: [...domain], range: [0, width] }],
    axes: [
      {
        scale: 'x',
        orient: 'bottom',
        grid: true,
        values: TICKS.filter((tick) => tick >= least && tick <= most),
        format: '~g',
        encode: { labels: { update: { text: { signal: "datum.label + ' ×'" } } } },
      },
    ],
    marks: [
      ruleMark({ x: one, y: -4 }, { x: one, y: height }, { colour: colours.faint, width: 1.25 }),
      textMark('as fast', { x: one, y: -8 }, { size: sizes.small, colour: colours.faint, align: 'center' }),
      ...marks,
    ],
  };
}

/** Wide enough for all that is drawn and for the line at 1. */
function domainOf(lines: readonly Line[]): readonly [number, number] {
  const all = lines.flatMap(({ verdict: { value, min = value, max = value }, promise = value, aim = value }) => [
    min,
    max,
    value,
    promise,
    aim,
  ]);
  return [Math.min(0.5, ...all) * 0.9, Math.max(2, ...all) * 1.1];
}

function figures({ verdict, standing, promise, aim }: Line, centre: number): Mark[] {
  const { value, min = value, max = value } = verdict;
  const { colour } = standings[standing];
  const at = (ratio: number, y = centre) => ({ x: { scale: 'x', value: ratio }, y });
  return [
    ...(promise === undefined
      ? []
      : [ruleMark(at(promise, centre - 11), at(promise, centre + 11), { colour: colours.ink, width: 2.5 })]),
    ...(aim === undefined
      ? []
      : [ruleMark(at(aim, centre - 11), at(aim, centre + 11), { colour: colours.ink, width: 1.25, dash: [3, 2] })]),
    ruleMark(at(min), at(max), { colour, width: 2 }),
    dotMark({ scale: 'x', value }, centre, { area: DOT_AREA, colour }),
  ];
}

function labels({ head, subject, verdict, standing, promise, aim, height }: Line, centre: number, width: number): Mark[] {
  const first = centre - (height - ROW_PADDING) / 2 + sizes.label;
  const right = { align: 'right' } as const;
  const x = width + 14;
  const wanted = [...(promise === undefined ? [] : [`promised ${promise}`]), ...(aim === undefined ? [] : [`aim ${aim}`])].join(
    ', ',
  );
  return [
    textMark(head, { x: -16, y: first }, { size: sizes.label, colour: colours.ink, ...right }),
    textMark(
      subject,
      { x: -16, y: first + head.length * lineHeight(sizes.label) },
      { size: sizes.small, colour: colours.faint, ...right },
    ),
    textMark(
      `${figure(verdict.value)} ×`,
      { x, y: centre - 1 },
      { size: sizes.label, colour: standings[standing].colour, bold: true },
    ),
    textMark(wanted, { x, y: centre - 1 + lineHeight(sizes.small) }, { size: sizes.small, colour: colours.faint }),
  ];
}

/** Of what is there. */
function legend(lines: readonly Line[], y: number): Mark[] {
  const small = { size: sizes.small, colour: colours.faint };
  let x = MARGIN;
  const entry = (text: string, sign: (x: number) => Mark): Mark[] => {
    const left = x;
    x += 14 + textWidth(text, sizes.small) + 18;
    return [sign(left + 5), textMark(text, { x: left + 14, y }, small)];
  };
  const used = (Object.keys(standings) as Standing[]).filter((standing) => lines.some((line) => line.standing === standing));
  const bar = (width: number, dash?: readonly number[]) => (at: number) =>
    ruleMark({ x: at, y: y - 11 }, { x: at, y: y + 3 }, { colour: colours.ink, width, ...(dash === undefined ? {} : { dash }) });
  return [
    ...used.flatMap((standing) =>
      entry(standings[standing].text, (at) => dotMark(at, y - 4, { area: 80, ...standings[standing] })),
    ),
    ...(lines.some(({ promise }) => promise !== undefined) ? entry('promised', bar(2.5)) : []),
    ...(lines.some(({ aim }) => aim !== undefined) ? entry('aimed at', bar(1.25, [3, 2])) : []),
  ];
}

function dotMark(x: Place, y: number, { area, colour }: { readonly area: number; readonly colour: string }): Mark {
  return {
    type: 'symbol',
    encode: {
      enter: {
        x: typeof x === 'number' ? { value: x } : x,
        y: { value: y },
        size: { value: area },
        fill: { value: colour },
        stroke: { value: colours.card },
      },
    },
  };
}
