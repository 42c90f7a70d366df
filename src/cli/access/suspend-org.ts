import { type OrgId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { withAccess } from './access-client.ts';

/** `quasar org rm`. */
export async function suspendOrg(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const orgId = parseId<OrgId>(args[0] as string, 'ORG');
  await withAccess(context, (client) => client.repeat({ method: 'DELETE', path: `/v1/orgs/${orgId}` }));
  if (flags.switch('json')) await terminal.printJson({ orgId, suspended: true });
  else await terminal.print(`${orgId} is suspended.`);
  return 0;
}
