import { limits } from '../../core/limits.ts';
import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import { listFlags } from '../list-flags.ts';

const groupArgument: ArgumentSpec = { name: 'GROUP', description: 'Id of a group.' };

const groupLs: Command = {
  name: 'group ls',
  purpose: 'List the groups of the org.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [...listFlags('groups'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar group ls', explanation: 'Id, time of creation, name.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./list-groups.ts')).listGroups(context),
};

const groupAdd: Command = {
  name: 'group add',
  purpose: 'Make a group that rules can name, and print its id.',
  usage: 'NAME',
  arguments: [{ name: 'NAME', description: 'At most 200 characters, no other group of the org has it.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'CHAMBER=$(quasar group add "Fourth chamber")', explanation: 'Nobody belongs to it yet.' }],
  exitCodes: [1, 2, 4, 5, 130],
  run: async (context) => (await import('./add-group.ts')).addGroup(context),
};

const groupRm: Command = {
  name: 'group rm',
  purpose: 'Delete a group; rules that name it are about nobody then, those that deny too.',
  usage: 'GROUP',
  arguments: [groupArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar group rm 0192f3a1-…', explanation: 'Those who belonged to it stay known.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./delete-group.ts')).deleteGroup(context),
};

const groupMembers: Command = {
  name: 'group members',
  purpose: 'List who belongs to a group itself, groups in it not opened.',
  usage: 'GROUP',
  arguments: [groupArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [...listFlags('members'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar group members 0192f3a1-…', explanation: 'An id a line; groups as group:ID.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./list-members.ts')).listMembers(context),
};

const changes = [
  { verb: 'join', purpose: 'Let principals or groups belong to a group.', explanation: 'Two principals, and all of a group.' },
  {
    verb: 'leave',
    purpose: 'Let principals or groups belong to a group no longer.',
    explanation: 'What was not in it is no fault.',
  },
] as const;

const memberships: readonly Command[] = changes.map(({ verb, purpose, explanation }) => ({
  name: `group ${verb}`,
  purpose,
  usage: 'GROUP MEMBER…',
  arguments: [groupArgument, { name: 'MEMBER', description: 'Id of a principal, me, or group:ID.' }],
  argumentCount: { min: 2, max: 1 + limits.rulePrincipalsMax },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: `quasar group ${verb} 0192f3a1-… 0192f3a7-… 0192f3b2-… group:0192f3c0-…`, explanation }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./change-members.ts')).changeMembers(context, verb),
}));

export const groupCommands: readonly Command[] = [groupLs, groupAdd, groupRm, groupMembers, ...memberships];
