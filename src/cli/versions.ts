import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { listFlags } from './list-flags.ts';

export const versions: Command = {
  name: 'versions',
  purpose: 'List the versions of a document, newest first: id, time, size, labels, reason.',
  usage: 'DOCUMENT',
  arguments: [{ name: 'DOCUMENT', description: 'Id of a document.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [...listFlags('versions'), jsonFlag, ...serverFlags],
  examples: [
    { line: 'quasar versions 0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d', explanation: 'What became of a document, and why.' },
  ],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./list-versions.ts')).listVersions(context),
};
