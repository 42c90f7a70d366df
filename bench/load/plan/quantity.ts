/** Quantities as they are typed: `64KiB`, `300MB`, `50ms`, `2MB/s`, `10%`. All return undefined for what is none. */

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** In bytes. */
export function parseSize(text: string): number | undefined {
  const value = parseUnit(text, SIZES);
  return value === undefined ? undefined : Math.round(value);
}

/** In milliseconds. */
export function parseDuration(text: string): number | undefined {
  return parseUnit(text, DURATIONS);
}

/** In bytes a second. */
export function parseSpeed(text: string): number | undefined {
  return text.endsWith('/s') ? parseSize(text.slice(0, -2)) : undefined;
}

/** `10%` is 0.1. */
export function parseShare(text: string): number | undefined {
  const value = parseUnit(text, { '%': 0.01 });
  return value === undefined || value > 1 ? undefined : value;
}

function parseUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([A-Za-z%]*)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
