import { QuasarError } from '../../core/errors.ts';
import { parseId, type RuleId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { withAccess } from './access-client.ts';
import { printRules } from './print-rules.ts';
import { type Rule, type RuledThing, readRules, replaceRules } from './rules.ts';
import { parseThing } from './thing.ts';

/** `quasar acl rm`: compare-and-set with the version that was read. */
export async function removeRules(context: CommandContext): Promise<number> {
  const [name, ...texts] = context.args as [string, ...string[]];
  const ruled = { name, thing: parseThing(name) };
  const ids = texts.map((text) => parseId<RuleId>(text, 'RULE'));
  const replaced = await withAccess(context, async (client) => {
    const { version, rules } = await readRules(ruled, client);
    const wish = { rules: without(ids, rules, ruled), expected: version, advice: 'Type it again.' };
    return replaceRules(ruled, wish, client);
  });
  await printRules(context, replaced);
  return 0;
}

function without(ids: readonly RuleId[], rules: readonly Rule[], { name }: RuledThing): readonly Rule[] {
  const missing = ids.find((id) => !rules.some((rule) => rule.id === id));
  if (missing === undefined) return rules.filter((rule) => !ids.includes(rule.id as RuleId));
  throw new QuasarError('bad_parameter', {
    op: 'cli.removeRules',
    message: `${name} has no rule ${missing}; nothing changed. "quasar acl get ${name}" lists those it has.`,
    details: { parameter: 'RULE' },
  });
}
