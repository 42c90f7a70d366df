import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import { listFlags } from '../list-flags.ts';
import { keyOutFlag } from './key-out-flag.ts';

const orgArgument: ArgumentSpec = { name: 'ORG', description: 'Id of an org.' };

const orgLs: Command = {
  name: 'org ls',
  purpose: "List the orgs: all of them to the operator's administrators, others see their own.",
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [...listFlags('orgs'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar org ls', explanation: 'Id, time of creation, whether it is suspended, name.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./list-orgs.ts')).listOrgs(context),
};

const orgAdd: Command = {
  name: 'org add',
  purpose: 'Make an org, with an administrator and a key of theirs, which is shown only now.',
  usage: 'NAME',
  arguments: [{ name: 'NAME', description: 'At most 200 characters, no other org has it.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [keyOutFlag, jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar org add "Court of Kassel" --out kassel.key', explanation: 'The key goes to that file alone.' }],
  exitCodes: [1, 2, 4, 5, 130],
  run: async (context) => (await import('./add-org.ts')).addOrg(context),
};

const orgRm: Command = {
  name: 'org rm',
  purpose: 'Suspend an org: nobody in it may do anything any more; its records stay.',
  usage: 'ORG',
  arguments: [orgArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar org rm 0192f3a1-…', explanation: 'Its keys are refused from now on.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./suspend-org.ts')).suspendOrg(context, true),
};

const orgResume: Command = {
  name: 'org resume',
  purpose: 'Let a suspended org in again.',
  usage: 'ORG',
  arguments: [orgArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar org resume 0192f3a1-…', explanation: 'With its principals, keys and rules as before.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./suspend-org.ts')).suspendOrg(context, false),
};

export const orgCommands: readonly Command[] = [orgLs, orgAdd, orgRm, orgResume];
