import { type FolderId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { withAccess } from './access-client.ts';

/** `quasar folder rm`. Made once: a second time would find no folder and look like a fault. */
export async function deleteFolder(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const folderId = parseId<FolderId>(args[0] as string, 'FOLDER');
  const request = { method: 'DELETE', path: `/v1/folders/${folderId}` };
  await withAccess(context, (client) => client.once(request, `quasar folder show ${folderId}`));
  if (flags.switch('json')) await terminal.printJson({ folderId, deleted: true });
  else await terminal.print(`${folderId} is deleted.`);
  return 0;
}
