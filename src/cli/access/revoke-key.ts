import { type KeyId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { withAccess } from './access-client.ts';

/** `quasar key revoke`. */
export async function revokeKey(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const keyId = parseId<KeyId>(args[0] as string, 'KEY');
  await withAccess(context, (client) => client.repeat({ method: 'DELETE', path: `/v1/keys/${keyId}` }));
  if (flags.switch('json')) await terminal.printJson({ keyId, revoked: true });
  else await terminal.print(`${keyId} is revoked.`);
  return 0;
}
