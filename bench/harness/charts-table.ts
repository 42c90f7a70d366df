import type { Mark, Spec } from 'vega';
import { cardSpec, colours, lineHeight, MARGIN, ruleMark, sizes, textMark, textWidth, WIDTH, wrapText } from './charts-style.ts';
import type { Row, Table } from './results.ts';
import { durabilityText, figure, isClientBound, isLowerBetter } from './table-text.ts';

/** One table as horizontal bars: the medians, best first, with whiskers from the least to the most. */

const LABEL_WIDTH_MAX = 330;
const BAR_HEIGHT = 18;
const ROW_PADDING = 12;
const AXIS_HEIGHT = 26;
/** Between a bar and its name or figure. */
const LABEL_GAP = 10;
/** Half of the stroke at the end of a whisker. */
const CAP = 4;
/** The null server is drawn when this many times the longest bar still reaches it; far away it would only squeeze the bars. */
const NULL_LINE_REACH = 1.4;

type Kind = 'quasar' | 'quasarAside' | 'ceiling' | 'peer' | 'notDurable';

const legends: Readonly<Record<Kind, string>> = {
  quasar: 'Quasar',
  quasarAside: 'Quasar, another setting',
  ceiling: 'what this machine can do, in native code',
  peer: 'others',
  notDurable: 'others, not durable',
};

const looks: Readonly<Record<Kind, { readonly fill: string; readonly stroke: string; readonly dash: readonly number[] }>> = {
  quasar: { fill: colours.quasar, stroke: colours.quasar, dash: [] },
  quasarAside: { fill: colours.quasarAside, stroke: colours.quasarAside, dash: [] },
  ceiling: { fill: colours.ceiling, stroke: colours.ceiling, dash: [] },
  peer: { fill: colours.peer, stroke: colours.peer, dash: [] },
  notDurable: { fill: colours.peerPale, stroke: colours.peer, dash: [3, 2] },
};

interface Bar {
  readonly name: readonly string[];
  readonly words: readonly string[];
  readonly kind: Kind;
  readonly row: Row;
  readonly height: number;
}

/** Undefined when there is nothing to compare. */
export function tableChart(scenario: string, table: Table): Spec | undefined {
  const rows = table.rows.filter(({ role }) => role !== 'null');
  if (rows.length < 2) return undefined;
  const labelWidth = Math.min(LABEL_WIDTH_MAX, Math.max(...rows.map(widestLabel)));
  const bars = bestFirst(rows, table).map((row) => toBar(row, rows, labelWidth));
  const title = wrapText(`${scenario}: ${table.title}`, sizes.title, WIDTH - 2 * MARGIN);
  const subtitle = wrapText(subtitleOf(table), sizes.small, WIDTH - 2 * MARGIN);
  const top =
    MARGIN + title.length * lineHeight(sizes.title) + subtitle.length * lineHeight(sizes.small) + lineHeight(sizes.small);
  const plotHeight = bars.reduce((total, { height }) => total + height, 0);
  const legendY = top + plotHeight + AXIS_HEIGHT + MARGIN;
  const titleY = MARGIN + sizes.title * 0.8;
  return cardSpec(legendY + MARGIN, {
    marks: [
      textMark(title, { x: MARGIN, y: titleY }, { size: sizes.title, colour: colours.ink, bold: true }),
      textMark(
        subtitle,
        { x: MARGIN, y: titleY + title.length * lineHeight(sizes.title) },
        { size: sizes.small, colour: colours.faint },
      ),
      plot(table, bars, { x: MARGIN + labelWidth + LABEL_GAP, y: top, height: plotHeight }),
      ...legend(bars, legendY),
    ],
  });
}

/** What somebody hears who does not see the chart. */
export function tableChartText(table: Table): string {
  const bars = bestFirst(
    table.rows.filter(({ role }) => role !== 'null'),
    table,
  );
  const said = bars.map(
    (row) => `${row.candidate} ${figure(row.median)}${row.durability?.durable === false ? ' (not durable)' : ''}`,
  );
  return `${table.title}, median ${table.unit}: ${said.join('; ')}`;
}

function bestFirst(rows: readonly Row[], { unit }: Table): Row[] {
  const direction = isLowerBetter(unit) ? 1 : -1;
  return [...rows].sort((left, right) => direction * (left.median - right.median));
}

function subtitleOf({ unit, rows }: Table): string {
  const runs = Math.max(...rows.map(({ samples }) => samples.length));
  const better = isLowerBetter(unit) ? 'less is better' : 'more is better';
  const spread = runs === 1 ? 'measured once' : `median of ${runs}, whiskers from the least to the most`;
  const none = rows.find(({ role }) => role === 'null');
  const bound = none === undefined ? '' : ` · the client alone reaches ${figure(none.median)}`;
  return `${unit}, ${spread} · ${better}${bound}`;
}

function toBar(row: Row, rows: readonly Row[], labelWidth: number): Bar {
  const name = wrapText(row.candidate, sizes.label, labelWidth);
  const words = wrapText(durabilityText(row), sizes.small, labelWidth).filter((line) => line !== '');
  const height = name.length * lineHeight(sizes.label) + words.length * lineHeight(sizes.small) + ROW_PADDING;
  return { name, words, kind: kindOf(row, rows), row, height };
}

function widestLabel(row: Row): number {
  return Math.max(textWidth(row.candidate, sizes.label, row.role === 'quasar'), textWidth(durabilityText(row), sizes.small));
}

/** Of several settings of ours the first is the headline. */
function kindOf(row: Row, rows: readonly Row[]): Kind {
  if (row.role === 'quasar')
    return row === rows.find(({ role }) => role === 'quasar') || isOursAlone(rows) ? 'quasar' : 'quasarAside';
  if (row.role === 'ceiling') return 'ceiling';
  return row.durability?.durable === false ? 'notDurable' : 'peer';
}

function isOursAlone(rows: readonly Row[]): boolean {
  return rows.every(({ role }) => role === 'quasar');
}

function plot(table: Table, bars: readonly Bar[], at: { readonly x: number; readonly y: number; readonly height: number }): Mark {
  const values = bars.map(({ row }) => `${figure(row.median)}${isClientBound(row) ? ', client-bound' : ''}`);
  const width = WIDTH - MARGIN - at.x - Math.max(...values.map((text) => textWidth(text, sizes.label, true))) - LABEL_GAP;
  const most = Math.max(...bars.map(({ row }) => row.max));
  const none = table.rows.find(({ role }) => role === 'null')?.median;
  const nullLine = none !== undefined && none <= most * NULL_LINE_REACH ? none : undefined;
  let top = 0;
  const placed = bars.map((bar, index) => {
    const centre = top + bar.height / 2;
    top += bar.height;
    return { ...bar, centre, value: values[index] ?? '' };
  });
  return {
    type: 'group',
    encode: { enter: { x: { value: at.x }, y: { value: at.y }, width: { value: width }, height: { value: at.height } } },
    signals: [{ name: 'height', value: at.height }],
    scales: [{ name: 'x', type: 'linear', domain: [0, Math.max(most, nullLine ?? 0)], range: [0, width] }],
    axes: [{ scale: 'x', orient: 'bottom', grid: true, tickCount: 6, zindex: 0 }],
    marks: [
      ...(nullLine === undefined ? [] : [clientLine(nullLine, at.height)]),
      ...placed.flatMap((bar) => [barMark(bar), ...whisker(bar), ...labels(bar)]),
    ],
  };
}

type Placed = Bar & { readonly centre: number; readonly value: string };

function barMark({ kind, row, centre }: Placed): Mark {
  const { fill, stroke, dash } = looks[kind];
  return {
    type: 'rect',
    encode: {
      enter: {
        x: { scale: 'x', value: 0 },
        x2: { scale: 'x', value: row.median },
        y: { value: centre - BAR_HEIGHT / 2 },
        height: { value: BAR_HEIGHT },
        fill: { value: fill },
        stroke: { value: stroke },
        ...(dash.length === 0 ? {} : { strokeDash: { value: [...dash] } }),
      },
    },
  };
}

function whisker({ row: { samples, min, max }, centre }: Placed): Mark[] {
  if (samples.length < 2) return [];
  const x = (value: number) => ({ scale: 'x', value });
  const look = { colour: colours.ink, width: 1.25 };
  const caps = [min, max].map((value) => ruleMark({ x: x(value), y: centre - CAP }, { x: x(value), y: centre + CAP }, look));
  return [ruleMark({ x: x(min), y: centre }, { x: x(max), y: centre }, look), ...caps];
}

function labels({ name, words, kind, row, centre, value }: Placed): Mark[] {
  const bold = kind === 'quasar';
  const nameHeight = name.length * lineHeight(sizes.label);
  const first = centre - (nameHeight + words.length * lineHeight(sizes.small)) / 2 + sizes.label;
  const nameLook = { size: sizes.label, colour: colours.ink, bold };
  const right = { align: 'right' } as const;
  return [
    textMark(name, { x: -LABEL_GAP, y: first }, { ...nameLook, ...right }),
    textMark(words, { x: -LABEL_GAP, y: first + nameHeight }, { size: sizes.small, colour: colours.faint, ...right }),
    textMark(value, { x: { scale: 'x', value: row.max, offset: LABEL_GAP }, y: centre + sizes.label * 0.35 }, nameLook),
  ];
}

function clientLine(value: number, height: number): Mark {
  const x = { scale: 'x', value };
  return ruleMark({ x, y: 0 }, { x, y: height }, { colour: colours.faint, width: 1, dash: [2, 4] });
}

function legend(bars: readonly Bar[], y: number): Mark[] {
  const kinds = (Object.keys(legends) as Kind[]).filter((kind) => bars.some((bar) => bar.kind === kind));
  let x = MARGIN;
  return kinds.flatMap((kind) => {
    const left = x;
    x += 16 + textWidth(legends[kind], sizes.small) + 18;
    const { fill, stroke, dash } = looks[kind];
    const swatch: Mark = {
      type: 'rect',
      encode: {
        enter: {
          x: { value: left },
          y: { value: y - 9 },
          width: { value: 10 },
          height: { value: 10 },
          fill: { value: fill },
          stroke: { value: stroke },
          ...(dash.length === 0 ? {} : { strokeDash: { value: [...dash] } }),
        },
      },
    };
    return [swatch, textMark(legends[kind], { x: left + 16, y }, { size: sizes.small, colour: colours.faint })];
  });
}
