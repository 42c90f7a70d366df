import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { documentPath } from '../version-selector.ts';
import { withAccess } from './access-client.ts';
import { folderOrNone } from './folder-or-none.ts';

/** `quasar folder place`. */
export async function placeDocument(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [documentId, folder] = args as [string, string];
  const path = `${documentPath(documentId)}/folder`;
  const folderId = folderOrNone(folder, 'FOLDER');
  const request = jsonRequest('PUT', path, JSON.stringify({ folderId }));
  await withAccess(context, (client) => client.repeat(request));
  if (flags.switch('json')) await terminal.printJson({ documentId, folderId });
  else await terminal.print(`${documentId} is in ${folderId ?? 'no folder'}.`);
  return 0;
}
