import { formatBytes, formatDuration, formatRate } from './units.ts';

const WINDOW_MS = 10_000;
const SAMPLE_SPACING_MS = 250;

/** Bytes a second over the last seconds, from samples of a running total that may also go back. */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly total: number }[] = [];

  sample(atMs: number, total: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SAMPLE_SPACING_MS) return;
    this.#samples.push({ atMs, total });
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Undefined until there are two samples to tell from. */
  rate(atMs: number, total: number): number | undefined {
    const [first] = this.#samples;
    if (first === undefined || atMs - first.atMs < SAMPLE_SPACING_MS) return undefined;
    return Math.max(0, ((total - first.total) / (atMs - first.atMs)) * 1000);
  }
}

export interface ProgressFacts {
  readonly name: string;
  readonly done: number;
  /** Undefined while the end is not known. */
  readonly size: number | undefined;
  readonly rate: number | undefined;
}

const BAR_WIDTH = 20;
const NAME_WIDTH_MIN = 12;

/** One line of at most `columns` characters: name, bar, share, bytes, rate, time left. */
export function progressLine(facts: ProgressFacts, columns: number): string {
  const { done, size, rate } = facts;
  const parts = [size === undefined ? formatBytes(done) : `${percent(done, size)} of ${formatBytes(size)}`];
  if (rate !== undefined) parts.push(formatRate(rate));
  if (size !== undefined && rate !== undefined && rate > 0 && done < size) {
    parts.push(`${formatDuration(((size - done) / rate) * 1000)} left`);
  }
  const figures = parts.join('  ');
  const withBar = size === undefined ? figures : `[${bar(done, size, BAR_WIDTH)}] ${figures}`;
  const tail = withBar.length + 2 + NAME_WIDTH_MIN <= columns ? withBar : figures;
  const nameWidth = Math.max(NAME_WIDTH_MIN, columns - tail.length - 2);
  return `${shorten(facts.name, nameWidth).padEnd(nameWidth)}  ${tail}`.slice(0, Math.max(0, columns));
}

function percent(done: number, size: number): string {
  return `${String(Math.floor(share(done, size) * 100)).padStart(3)} %`;
}

export function bar(done: number, size: number, width: number): string {
  const filled = Math.floor(share(done, size) * width);
  return '='.repeat(filled) + (filled < width ? '>' : '') + ' '.repeat(Math.max(0, width - filled - 1));
}

function share(done: number, size: number): number {
  return size === 0 ? 1 : Math.min(1, done / size);
}

/** Keeps the end of a long name: that is where files differ. */
export function shorten(name: string, width: number): string {
  const characters = [...name];
  return characters.length <= width ? name : `…${characters.slice(characters.length - width + 1).join('')}`;
}
