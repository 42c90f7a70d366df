import { type FolderId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { printable } from '../terminal.ts';
import { withAccess } from './access-client.ts';

/** `quasar folder add`: the id is the result, so that a shell can keep it. */
export async function addFolder(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const parent = flags.text('in');
  const parentId = parent === undefined ? undefined : parseId<FolderId>(parent, '--in');
  const body = JSON.stringify({ name: args[0], parentId, caseNumber: flags.text('case') });
  const look = `quasar folder ls${parentId === undefined ? '' : ` ${parentId}`}`;
  const made = await withAccess(context, (client) => client.once(jsonRequest('POST', '/v1/folders', body), look));
  if (flags.switch('json')) await terminal.printJson(made);
  else await terminal.print(printable(String(made.folderId)));
  return 0;
}
