import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { Command } from '../command.ts';
import { thingArgument } from './thing.ts';

export const accessExplain: Command = {
  name: 'access explain',
  purpose: 'Say whether a principal may do something to a thing, and why: every rule that was considered, and what decided.',
  usage: 'THING | --event ID',
  arguments: [thingArgument],
  argumentCount: { min: 0, max: 1 },
  flags: [
    {
      name: 'principal',
      kind: 'text',
      value: 'ID',
      unit: 'default: me, with the key of this command',
      description: 'Who would do it. Somebody else: without a credential, unless --key or --scope names one.',
    },
    { name: 'key', kind: 'text', value: 'ID', description: 'With this API key (its id), and so about its principal.' },
    {
      name: 'scope',
      kind: 'text',
      value: 'LIST',
      description: 'With a token of this scope: capabilities with commas between them.',
    },
    { name: 'action', kind: 'text', value: 'ACTION', description: 'A capability such as doc.read; must be given.' },
    {
      name: 'event',
      kind: 'text',
      value: 'ID',
      description:
        'In place of THING: what was decided then, by this event of the audit log (its id or number). Needs audit.read.',
    },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: 'quasar access explain document:0192f3a1-… --principal 0192f3a7-… --action doc.read',
      explanation: 'Needs acl.admin; done whether the answer is yes or no.',
    },
    { line: 'quasar access explain --event 4711', explanation: 'Why something was allowed or denied then.' },
  ],
  notes: [
    'Without --key and --scope it is about you with the key of this command, and about somebody else without a credential: a key or token of',
    'his may be refused what he may do himself.',
  ],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./explain-access.ts')).explainAccess(context),
};
