import { type FolderId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { printTree } from '../show-facts.ts';
import { withAccess } from './access-client.ts';

/** `quasar folder show`. */
export async function showFolder(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const folderId = parseId<FolderId>(args[0] as string, 'FOLDER');
  const facts = await withAccess(context, (client) => client.read(`/v1/folders/${folderId}`));
  if (flags.switch('json')) await terminal.printJson(facts);
  else await printTree(terminal, facts, '');
  return 0;
}
