import { withAccess } from './access/access-client.ts';
import type { CommandContext } from './command.ts';
import { jsonRequest } from './json-request.ts';
import { requiredReason } from './required-reason.ts';
import { documentPath } from './version-selector.ts';

/** `quasar dispose`. Made once: a second time would find the document gone and look like a fault. */
export async function disposeDocument(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [documentId] = args as [string];
  const body = JSON.stringify({ reason: requiredReason(flags) });
  const request = jsonRequest('DELETE', documentPath(documentId), body);
  await withAccess(context, (client) => client.once(request, `quasar stat ${documentId}`));
  if (flags.switch('json')) await terminal.printJson({ documentId, disposed: true });
  else await terminal.print(`${documentId} is disposed of.`);
  return 0;
}
