import { dataFlag, jsonFlag, orgFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { usage } from './flags.ts';
import { listFlags } from './list-flags.ts';

export const ls: Command = {
  name: 'ls',
  purpose: 'List documents, newest first.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    ...listFlags('documents'),
    { name: 'segments', kind: 'switch', description: 'List what the segment files of --data hold, without server and database.' },
    { ...orgFlag, unit: 'with --segments' },
    dataFlag,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar ls --limit 10', explanation: 'The ten newest documents.' },
    { line: 'quasar ls --all --json', explanation: 'Everything, one JSON object a line.' },
    {
      line: 'quasar ls --segments --data ./data',
      explanation: 'Every version in the segment files: key, organisation, document, version, time, size, name.',
    },
  ],
  exitCodes: [1, 2, 5, 6, 130],
  async run(context) {
    if (context.flags.switch('segments')) return (await import('./list-segments.ts')).listSegments(context);
    if (context.flags.has('org')) throw usage('--org goes with --segments; a server takes the organisation from the key.');
    return (await import('./list-documents.ts')).listDocuments(context);
  },
};
