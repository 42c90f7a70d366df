import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { selectorFlags } from './version-selector.ts';

export const metaGet: Command = {
  name: 'meta get',
  purpose: 'Show the metadata of a document, or of one namespace of it.',
  usage: 'DOCUMENT [NAMESPACE]',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document.' },
    { name: 'NAMESPACE', description: 'Only this one: an IRI such as urn:quasar:ns:case; canonical, or derived with --derived.' },
  ],
  argumentCount: { min: 1, max: 2 },
  flags: [
    { name: 'derived', kind: 'switch', description: 'What programs made of the content, instead of what people filed.' },
    { name: 'quarantined', kind: 'switch', description: 'Also derived metadata that does not fit its schema, with its faults.' },
    ...selectorFlags,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar meta get 0192f3a1-… urn:quasar:ns:case', explanation: 'What was filed of the case.' },
    { line: 'quasar meta get 0192f3a1-… --as-of 2026-11-21T09:00:00Z', explanation: 'Everything, as it was then.' },
  ],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./show-metadata.ts')).showMetadata(context),
};
