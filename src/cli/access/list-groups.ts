import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';

/** `quasar group ls`. */
export function listGroups(context: CommandContext): Promise<number> {
  return printPages(context, { path: '/v1/groups', line: groupLine });
}

function groupLine(item: unknown): string {
  const { groupId, createdAt, name } = record(item);
  return printable(`${groupId}  ${createdAt}  ${name}`);
}
