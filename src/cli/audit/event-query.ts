import type { Flags } from '../flags.ts';

/** The flags that pick events, as a query. */
export function eventQuery(flags: Flags, names: readonly string[]): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = flags.text(name);
    if (value !== undefined) query.set(name, value);
  }
  return query;
}
