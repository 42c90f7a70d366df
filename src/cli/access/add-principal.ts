import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { printable } from '../terminal.ts';
import { withAccess } from './access-client.ts';
import { roleWords } from './role-words.ts';

/** `quasar principal add`: the id is the result, so that a shell can keep it. */
export async function addPrincipal(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [name, ...roles] = args as [string, ...string[]];
  const kind = flags.switch('service') ? 'service' : 'user';
  const body = JSON.stringify({ kind, name, subject: flags.text('subject'), roles });
  const request = jsonRequest('POST', '/v1/principals', body);
  const made = await withAccess(context, (client) => client.once(request, 'quasar principal ls'));
  if (flags.switch('json')) {
    await terminal.printJson(made);
    return 0;
  }
  await terminal.print(printable(String(made.principalId)));
  const what = kind === 'service' ? 'a service account' : 'a user';
  terminal.note(printable(`${name} is ${what}; roles: ${roleWords(made.roles)}.`));
  return 0;
}
