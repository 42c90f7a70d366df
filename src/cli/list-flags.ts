import type { FlagSpec } from './command.ts';

/** How much of a list is printed. */
export function listFlags(what: string): readonly FlagSpec[] {
  return [
    { name: 'limit', kind: 'count', value: 'N', default: 100, unit: what, description: 'List at most this many.' },
    { name: 'all', kind: 'switch', description: 'List all there are.' },
  ];
}
