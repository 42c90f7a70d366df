import { type FolderId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { withAccess } from './access-client.ts';
import { folderOrNone } from './folder-or-none.ts';

/** `quasar folder mv`. */
export async function moveFolder(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [folder, parent] = args as [string, string];
  const folderId = parseId<FolderId>(folder, 'FOLDER');
  const parentId = folderOrNone(parent, 'PARENT');
  const request = jsonRequest('PUT', `/v1/folders/${folderId}`, JSON.stringify({ parentId }));
  await withAccess(context, (client) => client.repeat(request));
  if (flags.switch('json')) await terminal.printJson({ folderId, parentId });
  else await terminal.print(`${folderId} is ${parentId === null ? 'an outermost folder' : `within ${parentId}`}.`);
  return 0;
}
