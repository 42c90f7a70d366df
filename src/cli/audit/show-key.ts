import { Attempts } from '../attempts.ts';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import { printable } from '../terminal.ts';
import { readAnswer } from './read-answer.ts';

/** `quasar audit key`. */
export async function showKey(context: CommandContext): Promise<number> {
  const text = await withClient(context, (http) => new Attempts(context).run(() => readAnswer(http, '/v1/audit/key')));
  await context.terminal.print(printable(text.trimEnd()));
  return 0;
}
