import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { Command } from '../command.ts';
import { thingArgument } from './thing.ts';

export const accessExplain: Command = {
  name: 'access explain',
  purpose: 'Say whether a principal may do something to a thing, and why: every rule that was considered, and what decided.',
  usage: 'THING',
  arguments: [thingArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [
    { name: 'principal', kind: 'text', value: 'ID', unit: 'default: me', description: 'Who would do it.' },
    { name: 'action', kind: 'text', value: 'ACTION', description: 'A capability such as doc.read; must be given.' },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: 'quasar access explain document:0192f3a1-… --principal 0192f3a7-… --action doc.read',
      explanation: 'Needs acl.admin; done whether the answer is yes or no.',
    },
  ],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./explain-access.ts')).explainAccess(context),
};
