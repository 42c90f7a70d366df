import { type OrgId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { withAccess } from './access-client.ts';

/** `quasar org rm | resume`. */
export async function suspendOrg(context: CommandContext, suspended: boolean): Promise<number> {
  const { args, flags, terminal } = context;
  const orgId = parseId<OrgId>(args[0] as string, 'ORG');
  const request = jsonRequest('PUT', `/v1/orgs/${orgId}`, JSON.stringify({ suspended }));
  await withAccess(context, (client) => client.repeat(request));
  if (flags.switch('json')) await terminal.printJson({ orgId, suspended });
  else await terminal.print(`${orgId} is ${suspended ? 'suspended' : 'active'}.`);
  return 0;
}
