import type { Dice } from '../requests/dice.ts';
import { parseSize } from './quantity.ts';

/**
 * Sizes in bytes: one (`100KiB`), any between two (`64KiB..1MiB`, small ones as often as large ones: the logarithm is
 * even), or scattered about a median (`50KB..300MB~2MB`: a log-normal cut off at both ends, as scans are).
 */
export interface SizeSpread {
  readonly least: number;
  readonly most: number;
  readonly median?: number;
}

/** Of the logarithm: one file in six is more than 4.5 times the median, one in a hundred more than 33 times. */
const SIGMA = 1.5;

export function parseSizeSpread(text: string): SizeSpread | undefined {
  const [range = '', medianText] = text.split('~');
  const [least, most = least] = range.split('..').map(parseSize);
  const median = medianText === undefined ? undefined : parseSize(medianText);
  if (least === undefined || most === undefined || least > most || range.split('..').length > 2) return undefined;
  if (medianText === undefined) return { least, most };
  return median === undefined || median < least || median > most ? undefined : { least, most, median };
}

export function formatSizeSpread({ least, most, median }: SizeSpread): string {
  const range = least === most ? `${least} B` : `${least}..${most} B`;
  return median === undefined ? range : `${range}, median ${median} B`;
}

export function drawSize({ least, most, median }: SizeSpread, dice: Dice): number {
  if (least === most) return least;
  if (median !== undefined) return clamp(Math.round(median * Math.exp(SIGMA * dice.normal())), least, most);
  const low = Math.log(Math.max(1, least));
  return clamp(Math.round(Math.exp(low + dice.next() * (Math.log(most) - low))), least, most);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
