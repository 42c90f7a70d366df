import type { CommandContext } from '../command.ts';
import { usage } from '../flags.ts';
import { printable } from '../terminal.ts';
import { unexpected } from '../upload-client.ts';
import { withAccess } from './access-client.ts';
import { parsePrincipal, subjectId } from './subject.ts';
import { parseThing, thingPath } from './thing.ts';

/** `quasar access explain`. */
export async function explainAccess(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const thing = parseThing(args[0] as string);
  const principal = parsePrincipal(flags.text('principal') ?? 'me', '--principal');
  const action = flags.text('action');
  if (action === undefined) throw usage('--action is missing: a capability such as doc.read.');
  const explanation = await withAccess(context, async (client) => {
    const query = new URLSearchParams({ principal: await subjectId(principal, client), action });
    return client.read(`${await thingPath(thing, client)}/access?${query}`);
  });
  if (flags.switch('json')) {
    await terminal.printJson(explanation);
    return 0;
  }
  if (!Array.isArray(explanation.lines)) throw unexpected('an explanation');
  for (const line of explanation.lines) await terminal.print(printable(String(line)));
  return 0;
}
