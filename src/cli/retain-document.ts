import { withAccess } from './access/access-client.ts';
import type { CommandContext } from './command.ts';
import { jsonRequest } from './json-request.ts';
import { documentPath } from './version-selector.ts';

/** `quasar retain`. */
export async function retainDocument(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [documentId, retainUntil] = args as [string, string];
  const body = JSON.stringify({ retainUntil, reason: flags.text('reason') });
  const request = jsonRequest('PUT', `${documentPath(documentId)}/retention`, body);
  await withAccess(context, (client) => client.repeat(request));
  if (flags.switch('json')) await terminal.printJson({ documentId, retainUntil });
  else await terminal.print(`${documentId} is kept until ${retainUntil} at least.`);
  return 0;
}
