import { isId, type KeyId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { type Flags, usage } from '../flags.ts';
import { printable } from '../terminal.ts';
import { unexpected } from '../upload-client.ts';
import { type AccessClient, withAccess } from './access-client.ts';
import { parsePrincipal, subjectId } from './subject.ts';
import { parseThing, thingPath } from './thing.ts';
import { wordList } from './word-list.ts';

/** `quasar access explain`. */
export async function explainAccess(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  const event = flags.text('event');
  const explanation = await (event === undefined ? explainNow(context) : explainThen(event, context));
  if (flags.switch('json')) {
    await terminal.printJson(explanation);
    return 0;
  }
  if (!Array.isArray(explanation.lines)) throw unexpected('an explanation');
  for (const line of explanation.lines) await terminal.print(printable(String(line)));
  return 0;
}

async function explainNow(context: CommandContext): Promise<Record<string, unknown>> {
  const { args, flags } = context;
  if (args[0] === undefined) throw usage('THING is missing: document:ID, folder:ID or org, or --event ID.');
  const thing = parseThing(args[0]);
  const action = flags.text('action');
  if (action === undefined) throw usage('--action is missing: a capability such as doc.read.');
  return withAccess(context, async (client) => {
    const query = new URLSearchParams({ ...(await whoAndWithWhat(flags, client)), action });
    return client.read(`${await thingPath(thing, client)}/access?${query}`);
  });
}

/** All that was asked then stands in the event. */
function explainThen(event: string, context: CommandContext): Promise<Record<string, unknown>> {
  const { args, flags } = context;
  const idle = ['principal', 'key', 'scope', 'action'].find((name) => flags.text(name) !== undefined);
  if (args.length > 0 || idle !== undefined) {
    throw usage(`--event says it all; leave out ${args.length > 0 ? 'THING' : `--${idle}`}.`);
  }
  if (!isId(event) && !/^\d{1,15}$/.test(event)) throw usage(`--event is the id of an event or its number, not "${event}".`);
  return withAccess(context, (client) => client.read(`/v1/audit/decisions/${event}`));
}

/** Of whoever asks it is about the key that is sent, unless another is named. A key says whose it is. */
async function whoAndWithWhat(flags: Flags, client: AccessClient): Promise<Record<string, string>> {
  const key = flags.text('key');
  const scope = flags.text('scope');
  if (key !== undefined && scope !== undefined) throw usage('--key has its own scope; leave out --scope.');
  const named = flags.text('principal') ?? (key === undefined ? 'me' : undefined);
  return {
    ...(named === undefined ? {} : { principal: await subjectId(parsePrincipal(named, '--principal'), client) }),
    ...(key === undefined ? {} : { key: parseId<KeyId>(key, '--key') }),
    ...(scope === undefined ? {} : { scope: wordList(scope, '--scope').join(',') }),
  };
}
