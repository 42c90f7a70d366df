import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { reasonFlag } from './reason-flag.ts';

export const metaPatch: Command = {
  name: 'meta patch',
  purpose: 'Change the canonical metadata of one namespace by a JSON Patch; this makes a version with the same bytes.',
  usage: 'DOCUMENT NAMESPACE FILE',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document.' },
    { name: 'NAMESPACE', description: 'An IRI such as urn:quasar:ns:case.' },
    { name: 'FILE', description: 'A list of operations (RFC 6902) as JSON; - is standard input.' },
  ],
  argumentCount: { min: 3, max: 3 },
  flags: [
    {
      name: 'base',
      kind: 'text',
      value: 'ID',
      unit: 'default: the one that is there when the command looks',
      description: 'The entry the patch was written against, a metadataId; with another one there nothing changes.',
    },
    reasonFlag,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: 'quasar meta patch 0192f3a1-… urn:quasar:ns:case patch.json --reason "Typing error"',
      explanation: 'patch.json: [{"op": "replace", "path": "/number", "value": "5 K 12/26"}]',
    },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./patch-metadata.ts')).patchMetadata(context),
};
