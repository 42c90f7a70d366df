import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { jsonRequest } from './json-request.ts';
import { schemaPath } from './schema-path.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** `quasar schema activate | deprecate | revoke`. */
export async function moveSchema(context: CommandContext, lifecycle: 'active' | 'deprecated' | 'revoked'): Promise<number> {
  const { args, flags, terminal } = context;
  const request = jsonRequest('PUT', `${schemaPath(args[0] as string)}/lifecycle`, JSON.stringify({ lifecycle }));
  // A repeat finds the schema in the state it is to have, and is no fault.
  const { value } = await withClient(context, (http) => new Attempts(context).run(() => http.json(request)));
  const view = record(value);
  if (flags.switch('json')) await terminal.printJson(view);
  else await terminal.print(printable(`${view.schemaUrn} is ${view.lifecycle}.`));
  return 0;
}
