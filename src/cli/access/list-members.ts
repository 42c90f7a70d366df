import { type GroupId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';

/** `quasar group members`: as `join` and `leave` take them. */
export function listMembers(context: CommandContext): Promise<number> {
  const groupId = parseId<GroupId>(context.args[0] as string, 'GROUP');
  return printPages(context, { path: `/v1/groups/${groupId}/members`, line: memberLine });
}

function memberLine(item: unknown): string {
  const { kind, id } = record(item);
  return printable(kind === 'group' ? `group:${id}` : String(id));
}
