import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { printable } from '../terminal.ts';
import { withAccess } from './access-client.ts';

/** `quasar token revoke`. */
export async function revokeToken(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [jti, expiresAt] = args as [string, string];
  const request = jsonRequest('POST', '/v1/tokens/revoke', JSON.stringify({ jti, expiresAt }));
  // Twice is the same as once.
  await withAccess(context, (client) => client.repeat(request));
  if (flags.switch('json')) await terminal.printJson({ jti, revoked: true });
  else await terminal.print(printable(`Token ${jti} is revoked.`));
  return 0;
}
