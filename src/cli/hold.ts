import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { reasonFlag } from './reason-flag.ts';

export const hold: Command = {
  name: 'hold',
  purpose: 'Keep a document from being disposed of, or release it.',
  usage: 'DOCUMENT',
  arguments: [{ name: 'DOCUMENT', description: 'Id of a document.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    { ...reasonFlag, description: 'Why; must be given, and is kept.' },
    { name: 'release', kind: 'switch', description: 'End the hold.' },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar hold 0192f3a1-… --reason "Appeal 2 S 9/26"', explanation: 'Takes the place of a hold for another reason.' },
    { line: 'quasar hold 0192f3a1-… --release --reason "Appeal withdrawn"', explanation: 'The reason goes to the audit log.' },
  ],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./hold-document.ts')).holdDocument(context),
};
