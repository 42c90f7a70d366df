import { withAccess } from './access/access-client.ts';
import type { CommandContext } from './command.ts';
import { jsonRequest } from './json-request.ts';
import { requiredReason } from './required-reason.ts';
import { documentPath } from './version-selector.ts';

/** `quasar hold`. */
export async function holdDocument(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [documentId] = args as [string];
  const held = !flags.switch('release');
  const body = JSON.stringify({ reason: requiredReason(flags) });
  const request = jsonRequest(held ? 'PUT' : 'DELETE', `${documentPath(documentId)}/hold`, body);
  await withAccess(context, (client) => client.repeat(request));
  if (flags.switch('json')) await terminal.printJson({ documentId, held });
  else await terminal.print(`${documentId} is ${held ? 'under a hold' : 'under no hold'}.`);
  return 0;
}
