import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { reasonFlag } from './reason-flag.ts';

export const retain: Command = {
  name: 'retain',
  purpose: 'Keep a document until a time at least; that time is only ever moved to a later one.',
  usage: 'DOCUMENT TIME',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document.' },
    { name: 'TIME', description: 'Like 2056-12-31T23:59:59Z.' },
  ],
  argumentCount: { min: 2, max: 2 },
  flags: [reasonFlag, jsonFlag, ...serverFlags],
  examples: [
    { line: 'quasar retain 0192f3a1-… 2056-12-31T23:59:59Z --reason "Thirty years"', explanation: 'Nothing takes this back.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./retain-document.ts')).retainDocument(context),
};
