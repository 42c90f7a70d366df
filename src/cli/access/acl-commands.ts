import { limits } from '../../core/limits.ts';
import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { Command } from '../command.ts';
import { listFlags } from '../list-flags.ts';
import { thingArgument } from './thing.ts';

const aclGet: Command = {
  name: 'acl get',
  purpose: 'Show the rules that hang on a document, a folder or the org.',
  usage: 'THING',
  arguments: [thingArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [
    { line: 'quasar acl get document:0192f3a1-…', explanation: 'A line a rule: id, effect, actions, whom it is about.' },
    { line: 'quasar acl get org --json > rules.json', explanation: 'To be changed, and put back with "quasar acl set".' },
  ],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./show-rules.ts')).showRules(context),
};

const aclAdd: Command = {
  name: 'acl add',
  purpose: 'Add a rule: it allows or denies some actions to some principals, in the thing and all within it; a denial wins.',
  usage: 'THING EFFECT ACTIONS WHOM…',
  arguments: [
    thingArgument,
    { name: 'EFFECT', description: 'allow or deny.' },
    { name: 'ACTIONS', description: 'Capabilities with commas between them, such as doc.read,doc.write.' },
    { name: 'WHOM', description: 'Id of a principal, me, or group:ID.' },
  ],
  argumentCount: { min: 4, max: 3 + limits.rulePrincipalsMax },
  flags: [jsonFlag, ...serverFlags],
  examples: [
    { line: 'quasar acl add document:0192f3a1-… deny doc.read 0192f3a7-…', explanation: 'Hide a document from somebody.' },
    {
      line: 'quasar acl add folder:0192f3b2-… allow doc.read,doc.write group:0192f3c0-…',
      explanation: 'Let a group work on a case.',
    },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./add-rule.ts')).addRule(context),
};

const aclRm: Command = {
  name: 'acl rm',
  purpose: 'Take rules away.',
  usage: 'THING RULE…',
  arguments: [thingArgument, { name: 'RULE', description: 'Id of a rule, as "quasar acl get" shows it.' }],
  argumentCount: { min: 2, max: 1 + limits.accessRulesMax },
  flags: [jsonFlag, ...serverFlags],
  examples: [
    { line: 'quasar acl rm document:0192f3a1-… 0192f3d4-…', explanation: 'All of them, or none when one is not there.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./remove-rules.ts')).removeRules(context),
};

const aclSet: Command = {
  name: 'acl set',
  purpose: 'Replace all rules of a thing by those of a file.',
  usage: 'THING FILE',
  arguments: [
    thingArgument,
    {
      name: 'FILE',
      description: 'JSON as "quasar acl get --json" prints it, {"version": …, "rules": […]}; - is standard input.',
    },
  ],
  argumentCount: { min: 2, max: 2 },
  flags: [
    {
      name: 'expect',
      kind: 'count',
      value: 'VERSION',
      min: 0,
      unit: 'default: the version in the file, else the one that is there when the command looks',
      description: 'Replace only the rules of this version.',
    },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar acl set org rules.json', explanation: 'Refused when somebody changed them since the file was made.' },
    { line: `echo '{"rules":[]}' | quasar acl set folder:0192f3b2-… -`, explanation: 'Take all rules away.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./set-rules.ts')).setRules(context),
};

const aclChanges: Command = {
  name: 'acl changes',
  purpose: 'List who changed the rules of a thing, latest first; --json shows what they were.',
  usage: 'THING',
  arguments: [thingArgument],
  argumentCount: { min: 1, max: 1 },
  flags: [...listFlags('changes'), jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar acl changes document:0192f3a1-…', explanation: 'When, to which version, how many rules, by whom.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./list-rule-changes.ts')).listRuleChanges(context),
};

export const aclCommands: readonly Command[] = [aclGet, aclAdd, aclRm, aclSet, aclChanges];
