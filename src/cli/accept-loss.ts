import { dataFlag, jsonFlag } from './client-flags.ts';
import type { Command } from './command.ts';

export const acceptLossCommand: Command = {
  name: 'graviton accept-loss',
  purpose: 'Give up segments whose files are missing for good, so that a storage node works without them.',
  usage: 'SEGMENT…',
  arguments: [
    { name: 'SEGMENT', description: 'Number of a segment that is missing or cut short, as the log and /v1/ready name it.' },
  ],
  argumentCount: { min: 1, max: Number.POSITIVE_INFINITY },
  flags: [
    { ...dataFlag, description: 'Data folder of the server, which must be stopped.' },
    {
      name: 'reason',
      kind: 'text',
      value: 'TEXT',
      unit: 'required',
      description: 'Who gives the segments up, and why; kept in MANIFEST for ever.',
    },
    jsonFlag,
  ],
  examples: [
    {
      line: 'quasar graviton accept-loss 3 4 --data ./data --reason "J. Doe: the disk is beyond repair, no copy"',
      explanation: 'The next start works without them; should they return, they are read again.',
    },
  ],
  exitCodes: [1, 2, 5, 6],
  run: async (context) => (await import('./give-up-segments.ts')).giveUpSegments(context),
};
