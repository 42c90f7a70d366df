import type { CommandContext } from '../command.ts';
import { withAccess } from './access-client.ts';
import { printRules } from './print-rules.ts';
import { readRules } from './rules.ts';
import { parseThing } from './thing.ts';

/** `quasar acl get`. */
export async function showRules(context: CommandContext): Promise<number> {
  const name = context.args[0] as string;
  const thing = parseThing(name);
  await printRules(context, await withAccess(context, (client) => readRules({ name, thing }, client)));
  return 0;
}
