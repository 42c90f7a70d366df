import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { printTree } from '../show-facts.ts';
import { withAccess } from './access-client.ts';
import { keepKey } from './keep-key.ts';

/** `quasar org add`. */
export async function addOrg(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const request = jsonRequest('POST', '/v1/orgs', JSON.stringify({ name: args[0] }));
  const out = flags.text('out');
  const facts = await withAccess(context, (client) => {
    const make = () => client.once(request, 'quasar org ls');
    return out === undefined ? make() : keepKey(out, make);
  });
  if (flags.switch('json')) await terminal.printJson(facts);
  else await printTree(terminal, facts, '');
  return 0;
}
