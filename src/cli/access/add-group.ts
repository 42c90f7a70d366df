import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { printable } from '../terminal.ts';
import { withAccess } from './access-client.ts';

/** `quasar group add`: the id is the result, so that a shell can keep it. */
export async function addGroup(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const request = jsonRequest('POST', '/v1/groups', JSON.stringify({ name: args[0] }));
  const made = await withAccess(context, (client) => client.once(request, 'quasar group ls'));
  if (flags.switch('json')) await terminal.printJson(made);
  else await terminal.print(printable(String(made.groupId)));
  return 0;
}
