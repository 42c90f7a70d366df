import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { reasonFlag } from './reason-flag.ts';

export const metaPut: Command = {
  name: 'meta put',
  purpose: 'Replace one layer of the metadata of a document; this makes a version with the same bytes.',
  usage: 'DOCUMENT FILE | DOCUMENT NAMESPACE=FILE…',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document.' },
    {
      name: 'FILE',
      description: 'A bundle as JSON, {"mode": …, "bundle": …} with provenance when derived; - is standard input.',
    },
    {
      name: 'NAMESPACE=FILE',
      description: 'Or canonical data by namespace, each in a file of its own. What is not named is not in the new version.',
    },
  ],
  argumentCount: { min: 2, max: 65 },
  flags: [
    {
      name: 'expect',
      kind: 'text',
      value: 'VERSION',
      unit: 'default: whichever is current',
      description: 'Only while this is the current version.',
    },
    reasonFlag,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: 'quasar meta put 0192f3a1-… urn:quasar:ns:case=case.json',
      explanation: 'The newest active schema of the namespace checks it.',
    },
    {
      line: 'quasar meta put 0192f3a1-… ocr-bundle.json',
      explanation: 'Derived metadata says in its bundle where it comes from.',
    },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./put-metadata.ts')).putMetadata(context),
};
