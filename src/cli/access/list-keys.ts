import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';
import { withAccess } from './access-client.ts';
import { parsePrincipal, subjectId } from './subject.ts';

/** `quasar key ls`. */
export async function listKeys(context: CommandContext): Promise<number> {
  const text = context.flags.text('principal');
  const subject = text === undefined ? undefined : parsePrincipal(text, '--principal');
  const principal = subject === undefined ? undefined : await withAccess(context, (client) => subjectId(subject, client));
  return printPages(context, { path: principal === undefined ? '/v1/keys' : `/v1/keys?principal=${principal}`, line: keyLine });
}

function keyLine(item: unknown): string {
  const { keyId, principalId, name, ...times } = record(item);
  return printable(`${keyId}  ${principalId}  ${stateOf(times)}  ${name}`);
}

function stateOf({ revokedAt, expiresAt, lastUsedAt }: Readonly<Record<string, unknown>>): string {
  if (typeof revokedAt === 'string') return `revoked ${revokedAt}`;
  const used = typeof lastUsedAt === 'string' ? `used ${lastUsedAt}` : 'never used';
  return typeof expiresAt === 'string' ? `${used}, until ${expiresAt}` : used;
}
