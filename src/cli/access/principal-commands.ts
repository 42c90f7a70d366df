import { roles } from '../../access/role.ts';
import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import { listFlags } from '../list-flags.ts';

const roleArgument: ArgumentSpec = { name: 'ROLE', description: `One or more of ${roles.join(', ')}: what they may everywhere.` };
const principalArgument: ArgumentSpec = { name: 'PRINCIPAL', description: 'Id of a principal, or me.' };

const principalLs: Command = {
  name: 'principal ls',
  purpose: 'List who is known in the org: users and service accounts.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [...listFlags('principals'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar principal ls', explanation: 'Id, kind, whether suspended, roles, name.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./list-principals.ts')).listPrincipals(context),
};

const principalAdd: Command = {
  name: 'principal add',
  purpose: 'Make a user or a service account known, and print the id.',
  usage: 'NAME [ROLE…]',
  arguments: [{ name: 'NAME', description: 'At most 200 characters, nobody else in the org has it.' }, roleArgument],
  argumentCount: { min: 1, max: 1 + roles.length },
  flags: [
    { name: 'service', kind: 'switch', description: 'A service account: a program, not a person.' },
    { name: 'subject', kind: 'text', value: 'SUB', description: 'What the issuer of their tokens calls them ("sub").' },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'CLERK=$(quasar principal add "Clerk, room 4" clerk)', explanation: 'Give them a key with "quasar key create".' },
    { line: 'quasar principal add scanner clerk --service', explanation: 'A scanning station.' },
  ],
  exitCodes: [1, 2, 4, 5, 130],
  run: async (context) => (await import('./add-principal.ts')).addPrincipal(context),
};

const principalSet: Command = {
  name: 'principal set',
  purpose: 'Give a principal these roles and no others.',
  usage: 'PRINCIPAL ROLE…',
  arguments: [principalArgument, { ...roleArgument, description: `${roleArgument.description.slice(0, -1)}; or none.` }],
  argumentCount: { min: 2, max: 1 + roles.length },
  flags: [jsonFlag, ...serverFlags],
  examples: [
    { line: 'quasar principal set 0192f3a1-… reader auditor', explanation: 'Holds for all their keys within a second.' },
    { line: 'quasar principal set 0192f3a1-… none', explanation: 'Only rules say what they may.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./change-principal.ts')).setRoles(context),
};

const steps = [
  {
    verb: 'suspend',
    suspended: true,
    purpose: 'Let a principal do nothing any more.',
    means: 'Their keys and tokens are refused.',
  },
  {
    verb: 'resume',
    suspended: false,
    purpose: 'Let a suspended principal in again.',
    means: 'With the roles and keys as before.',
  },
] as const;

const suspensions: readonly Command[] = steps.map(({ verb, suspended, purpose, means }) => ({
  name: `principal ${verb}`,
  purpose,
  usage: 'PRINCIPAL',
  arguments: [principalArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: `quasar principal ${verb} 0192f3a1-…`, explanation: means }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./change-principal.ts')).suspend(context, suspended),
}));

const principalMe: Command = {
  name: 'principal me',
  purpose: 'Show who the server takes you for: id, org, roles, groups, and what the key is good for.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar principal me --key-file clerk.key', explanation: 'Whose key is this?' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./show-self.ts')).showSelf(context),
};

export const principalCommands: readonly Command[] = [principalLs, principalAdd, principalSet, ...suspensions, principalMe];
