import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';

export const schemaShow: Command = {
  name: 'schema show',
  purpose: 'Show a schema, its state and its digest.',
  usage: 'URN',
  arguments: [{ name: 'URN', description: 'Such as urn:quasar:schema:case@1.0.0.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar schema show urn:quasar:schema:case@1.0.0', explanation: 'What metadata of it must look like.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./show-schema.ts')).showSchema(context),
};
