import type { FlagSpec } from '../command.ts';

export const keyOutFlag: FlagSpec = {
  name: 'out',
  kind: 'text',
  value: 'FILE',
  description: 'Write the key to this new file, for its owner alone, instead of showing it.',
};
