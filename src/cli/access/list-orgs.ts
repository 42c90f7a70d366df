import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';

/** `quasar org ls`. */
export function listOrgs(context: CommandContext): Promise<number> {
  return printPages(context, { path: '/v1/orgs', line: orgLine });
}

function orgLine(item: unknown): string {
  const { orgId, createdAt, suspendedAt, name } = record(item);
  return printable(`${orgId}  ${createdAt}  ${typeof suspendedAt === 'string' ? 'suspended' : 'active   '}  ${name}`);
}
