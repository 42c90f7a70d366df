import type { CommandContext } from '../command.ts';
import { printable } from '../terminal.ts';
import type { Rule, Rules } from './rules.ts';

/** The version, and a line for each rule: its id, then the words with which `acl add` makes it. */
export async function printRules({ flags, terminal }: CommandContext, { version, rules }: Rules): Promise<void> {
  if (flags.switch('json')) return terminal.printJson({ version, rules });
  await terminal.print(`version: ${version}`);
  for (const rule of rules) await terminal.print(printable(ruleLine(rule)));
  if (rules.length === 0) terminal.note('There are no rules here.');
}

function ruleLine({ id, effect, actions, principals }: Rule): string {
  return `${id}  ${String(effect).padEnd(5)}  ${words(actions).join(',')}  ${words(principals).join(' ')}`;
}

function words(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
