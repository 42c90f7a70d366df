import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';
import { withAccess } from './access-client.ts';
import { parseThing, thingPath } from './thing.ts';

/** `quasar acl changes`. */
export async function listRuleChanges(context: CommandContext): Promise<number> {
  const thing = parseThing(context.args[0] as string);
  const path = await withAccess(context, (client) => thingPath(thing, client));
  return printPages(context, { path: `${path}/acl/changes`, line: changeLine });
}

function changeLine(item: unknown): string {
  const { version, rules, changedBy, changedAt } = record(item);
  const count = Array.isArray(rules) ? rules.length : 0;
  return printable(`${changedAt}  version ${version}  ${count} ${count === 1 ? 'rule' : 'rules'}  by ${changedBy}`);
}
