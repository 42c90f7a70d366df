import type { CommandContext } from '../command.ts';
import { usage } from '../flags.ts';
import { withAccess } from './access-client.ts';
import { printRules } from './print-rules.ts';
import { readRules, replaceRules } from './rules.ts';
import { parseSubject, subjectId } from './subject.ts';
import { parseThing } from './thing.ts';
import { wordList } from './word-list.ts';

/** `quasar acl add`: compare-and-set with the version that was read. */
export async function addRule(context: CommandContext): Promise<number> {
  const [name, effect, actionWords, ...whom] = context.args as [string, string, string, ...string[]];
  const ruled = { name, thing: parseThing(name) };
  if (effect !== 'allow' && effect !== 'deny') throw usage(`EFFECT is allow or deny, not "${effect}".`);
  const actions = wordList(actionWords, 'ACTIONS');
  const subjects = whom.map((text) => parseSubject(text, 'WHOM'));
  const replaced = await withAccess(context, async (client) => {
    const principals: string[] = [];
    for (const subject of subjects) principals.push(await subjectId(subject, client));
    const { version, rules } = await readRules(ruled, client);
    const wish = { rules: [...rules, { effect, actions, principals }], expected: version, advice: 'Type it again.' };
    return replaceRules(ruled, wish, client);
  });
  await printRules(context, replaced);
  return 0;
}
