const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** RFC 3339 in UTC with milliseconds, of a moment that exists: exactly what `toTimestamp` writes for years 0 to 9999. */
export function isTimestamp(text: string): boolean {
  const ms = TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}
