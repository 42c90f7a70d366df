import { type GroupId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { withAccess } from './access-client.ts';

/** `quasar group rm`. Made once: a second time would find no group and look like a fault. */
export async function deleteGroup(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const groupId = parseId<GroupId>(args[0] as string, 'GROUP');
  const request = { method: 'DELETE', path: `/v1/groups/${groupId}` };
  await withAccess(context, (client) => client.once(request, 'quasar group ls'));
  if (flags.switch('json')) await terminal.printJson({ groupId, deleted: true });
  else await terminal.print(`${groupId} is deleted.`);
  return 0;
}
