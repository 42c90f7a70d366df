import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { printIndentedJson } from './print-json.ts';
import { schemaPath } from './schema-path.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** `quasar schema show`. */
export async function showSchema(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const path = schemaPath(args[0] as string);
  const { value } = await withClient(context, (http) => new Attempts(context).run(() => http.json({ method: 'GET', path })));
  if (flags.switch('json')) {
    await terminal.printJson(value);
    return 0;
  }
  const { schema, ...facts } = record(value);
  for (const [name, fact] of Object.entries(facts)) await terminal.print(printable(`${name}: ${fact}`));
  await terminal.print('schema:');
  await printIndentedJson(terminal, schema, '  ');
  return 0;
}
