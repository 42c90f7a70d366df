import { dataFlag, jsonFlag } from './client-flags.ts';
import type { Command } from './command.ts';

export const acceptDisk: Command = {
  name: 'graviton accept-disk',
  purpose: 'Take the disk of a storage node back into service after a write error.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    {
      ...dataFlag,
      description: 'Data folder of the server, which must be stopped.',
    },
    {
      name: 'reason',
      kind: 'text',
      value: 'TEXT',
      unit: 'required',
      description: 'Who accepts the disk, and why it is good again; kept in MANIFEST for ever.',
    },
    jsonFlag,
  ],
  examples: [
    {
      line: 'quasar graviton accept-disk --data ./data --reason "J. Doe: cable replaced, self-test passed"',
      explanation: 'The next start writes again.',
    },
  ],
  exitCodes: [1, 2, 5, 6],
  run: async (context) => (await import('./take-disk-back.ts')).takeDiskBack(context),
};
