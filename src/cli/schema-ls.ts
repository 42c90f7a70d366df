import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { listFlags } from './list-flags.ts';

export const schemaLs: Command = {
  name: 'schema ls',
  purpose: 'List schemas by URN, with their state and namespace.',
  usage: '[NAMESPACE]',
  arguments: [{ name: 'NAMESPACE', description: 'Only those of this namespace, such as urn:quasar:ns:case.' }],
  argumentCount: { min: 0, max: 1 },
  flags: [...listFlags('schemas'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar schema ls urn:quasar:ns:case', explanation: 'What has checked cases, and what does now.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./list-schemas.ts')).listSchemas(context),
};
