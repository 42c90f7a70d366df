import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { eventLine } from './event-line.ts';
import { eventQuery } from './event-query.ts';

/** `quasar audit ls`. */
export function listEvents(context: CommandContext): Promise<number> {
  const query = eventQuery(context.flags, ['document', 'principal', 'action', 'from', 'until']);
  return printPages(context, { path: `/v1/audit/events?${query}`, line: eventLine });
}
