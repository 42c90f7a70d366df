import type { Mark, Spec } from 'vega';

/** What all charts share: a white card with a border, which reads the same on a light and on a dark page. */

export const WIDTH = 880;
export const MARGIN = 20;

export const colours = {
  card: '#ffffff',
  border: '#d0d7de',
  grid: '#e6eaee',
  ink: '#1f2328',
  faint: '#636c76',
  quasar: '#1d4ed8',
  quasarAside: '#8fabf0',
  ceiling: '#9aa4af',
  peer: '#c2691c',
  peerPale: '#fbeee0',
  kept: '#1a7f37',
  missed: '#c9372c',
} as const;

export const sizes = { title: 16, label: 13, small: 11.5 } as const;

/** Of a letter, in parts of the font's size; wide enough for the widest of the usual sans-serif fonts. */
const LETTER_WIDTH = 0.6;
const LINE_HEIGHT = 1.3;

/** Bold letters are wider by so much. */
const BOLD = 1.1;

export function textWidth(text: string, size: number, bold = false): number {
  return text.length * size * LETTER_WIDTH * (bold ? BOLD : 1);
}

/** Breaks between words, so that no line is wider. A word that is wider itself stays whole. */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function lineHeight(size: number): number {
  return size * LINE_HEIGHT;
}

/** In pixels, or where a scale of the surrounding group puts a value. */
export type Place = number | { readonly scale: string; readonly value: number; readonly offset?: number };

export interface TextLook {
  readonly size: number;
  readonly colour: string;
  readonly bold?: boolean;
  readonly align?: 'left' | 'center' | 'right';
}

/** A text of one or more lines; `y` is the base line of the first. */
export function textMark(text: string | readonly string[], at: { readonly x: Place; readonly y: number }, look: TextLook): Mark {
  return {
    type: 'text',
    encode: {
      enter: {
        x: typeof at.x === 'number' ? { value: at.x } : at.x,
        y: { value: at.y },
        align: { value: look.align ?? 'left' },
        text: { value: typeof text === 'string' ? text : [...text] },
        fontSize: { value: look.size },
        lineHeight: { value: lineHeight(look.size) },
        fill: { value: look.colour },
        fontWeight: { value: look.bold === true ? 'bold' : 'normal' },
      },
    },
  };
}

/** A straight line from one place to the other; `dash` as in SVG. */
export function ruleMark(
  from: { readonly x: Place; readonly y: number },
  to: { readonly x: Place; readonly y: number },
  look: { readonly colour: string; readonly width: number; readonly dash?: readonly number[] },
): Mark {
  return {
    type: 'rule',
    encode: {
      enter: {
        x: typeof from.x === 'number' ? { value: from.x } : from.x,
        x2: typeof to.x === 'number' ? { value: to.x } : to.x,
        y: { value: from.y },
        y2: { value: to.y },
        stroke: { value: look.colour },
        strokeWidth: { value: look.width },
        ...(look.dash === undefined ? {} : { strokeDash: { value: [...look.dash] } }),
      },
    },
  };
}

/** A chart of this height, with the card behind its marks. */
export function cardSpec(height: number, parts: Pick<Spec, 'data' | 'marks'>): Spec {
  const card: Mark = {
    type: 'rect',
    encode: {
      enter: {
        x: { value: 0.5 },
        y: { value: 0.5 },
        width: { value: WIDTH - 1 },
        height: { value: height - 1 },
        cornerRadius: { value: 8 },
        fill: { value: colours.card },
        stroke: { value: colours.border },
      },
    },
  };
  return {
    width: WIDTH,
    height,
    padding: 0,
    autosize: 'none',
    config: {
      text: { font: 'sans-serif' },
      axis: {
        labelFont: 'sans-serif',
        labelFontSize: sizes.small,
        labelColor: colours.faint,
        gridColor: colours.grid,
        domain: false,
        ticks: false,
        labelPadding: 6,
      },
    },
    ...parts,
    marks: [card, ...(parts.marks ?? [])],
  };
}
