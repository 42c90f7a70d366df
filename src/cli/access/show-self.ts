import type { CommandContext } from '../command.ts';
import { printTree } from '../show-facts.ts';
import { withAccess } from './access-client.ts';

/** `quasar principal me`. */
export async function showSelf(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  const facts = await withAccess(context, (client) => client.read('/v1/principals/me'));
  if (flags.switch('json')) await terminal.printJson(facts);
  else await printTree(terminal, facts, '');
  return 0;
}
