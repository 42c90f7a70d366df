import type { CommandContext } from '../command.ts';
import { usage } from '../flags.ts';
import { jsonRequest } from '../json-request.ts';
import { printable } from '../terminal.ts';
import { type Answered, withAccess } from './access-client.ts';
import { roleWords } from './role-words.ts';
import { parsePrincipal, subjectId } from './subject.ts';

/** `quasar principal set`. */
export async function setRoles(context: CommandContext): Promise<number> {
  const [, ...words] = context.args;
  const none = words.includes('none');
  if (none && words.length > 1) throw usage('none stands alone: it leaves no role.');
  const changed = await change(context, { roles: none ? [] : words });
  const { flags, terminal } = context;
  if (flags.switch('json')) await terminal.printJson(changed);
  else await terminal.print(printable(`${changed.principalId} has the roles ${roleWords(changed.roles)}.`));
  return 0;
}

/** `quasar principal suspend | resume`. */
export async function suspend(context: CommandContext, suspended: boolean): Promise<number> {
  const { flags, terminal } = context;
  const changed = await change(context, { suspended });
  if (flags.switch('json')) await terminal.printJson(changed);
  else await terminal.print(printable(`${changed.principalId} is ${suspended ? 'suspended' : 'active'}.`));
  return 0;
}

function change(context: CommandContext, wish: Readonly<Record<string, unknown>>): Promise<Answered> {
  const principal = parsePrincipal(context.args[0] as string, 'PRINCIPAL');
  return withAccess(context, async (client) => {
    const path = `/v1/principals/${await subjectId(principal, client)}`;
    return client.repeat(jsonRequest('PUT', path, JSON.stringify(wish)));
  });
}
