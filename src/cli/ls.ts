import { dataFlag, jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
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
    dataFlag,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar ls --limit 10', explanation: 'The ten newest documents.' },
    { line: 'quasar ls --all --json', explanation: 'Everything, one JSON object a line.' },
    { line: 'quasar ls --segments --data ./data', explanation: 'Every blob in the segment files, with its name.' },
  ],
  exitCodes: [1, 2, 5, 6, 130],
  async run(context) {
    if (context.flags.switch('segments')) return (await import('./list-segments.ts')).listSegments(context);
    return (await import('./list-documents.ts')).listDocuments(context);
  },
};
