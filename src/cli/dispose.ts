import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { reasonFlag } from './reason-flag.ts';

export const dispose: Command = {
  name: 'dispose',
  purpose: 'Dispose of a document for good; what it was stays in the audit log.',
  usage: 'DOCUMENT',
  arguments: [{ name: 'DOCUMENT', description: 'Id of a document.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [{ ...reasonFlag, description: 'Why; must be given, and is kept.' }, jsonFlag, ...serverFlags],
  examples: [
    {
      line: 'quasar dispose 0192f3a1-… --reason "Retention period over"',
      explanation: 'Refused before the end of its retention, and under a hold.',
    },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./dispose-document.ts')).disposeDocument(context),
};
