import type { FlagSpec } from './command.ts';

export const reasonFlag: FlagSpec = {
  name: 'reason',
  kind: 'text',
  value: 'TEXT',
  unit: 'at most 1000 characters',
  description: 'Why; kept with the change.',
};
