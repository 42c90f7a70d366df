import type { CommandContext } from '../command.ts';
import { jsonRequest } from '../json-request.ts';
import { printable } from '../terminal.ts';
import { type Answered, withAccess } from './access-client.ts';
import { keepKey } from './keep-key.ts';
import { parsePrincipal, subjectId } from './subject.ts';
import { wordList } from './word-list.ts';

/** `quasar key create`: the result is the key, or its id when the key goes to a file. */
export async function createKey(context: CommandContext): Promise<number> {
  const { args, flags } = context;
  const principal = parsePrincipal(flags.text('principal') ?? 'me', '--principal');
  const scopeText = flags.text('scope');
  const scope = scopeText === undefined ? undefined : wordList(scopeText, '--scope');
  const out = flags.text('out');
  const made = await withAccess(context, async (client) => {
    const principalId = await subjectId(principal, client);
    const body = JSON.stringify({ principalId, name: args[0], scope, expiresAt: flags.text('expires') });
    const make = () => client.once(jsonRequest('POST', '/v1/keys', body), `quasar key ls --principal ${principalId}`);
    return out === undefined ? make() : keepKey(out, make);
  });
  await print(context, made);
  return 0;
}

async function print({ flags, terminal }: CommandContext, made: Answered): Promise<void> {
  if (flags.switch('json')) return terminal.printJson(made);
  const { keyId, key, keyFile } = made;
  await terminal.print(printable(String(keyFile === undefined ? key : keyId)));
  terminal.note(
    printable(
      keyFile === undefined ? `Key ${keyId}; it is not shown again.` : `The key is in ${keyFile}, for you alone to read.`,
    ),
  );
}
