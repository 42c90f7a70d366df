import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';

export const schemaAdd: Command = {
  name: 'schema add',
  purpose: 'Register a schema that checks the metadata of a namespace; what a URN means never changes.',
  usage: 'URN NAMESPACE FILE',
  arguments: [
    { name: 'URN', description: 'Name and version, such as urn:quasar:schema:case@1.0.0.' },
    { name: 'NAMESPACE', description: 'An IRI such as urn:quasar:ns:case.' },
    { name: 'FILE', description: 'JSON Schema 2020-12 that refers to nothing outside itself; - is standard input.' },
  ],
  argumentCount: { min: 3, max: 3 },
  flags: [
    { name: 'draft', kind: 'switch', description: 'Not to be used yet; "quasar schema activate" begins its life.' },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: 'quasar schema add urn:quasar:schema:case@1.0.0 urn:quasar:ns:case case.schema.json',
      explanation: 'In use at once.',
    },
  ],
  exitCodes: [1, 2, 4, 5, 130],
  run: async (context) => (await import('./register-schema.ts')).registerSchema(context),
};
