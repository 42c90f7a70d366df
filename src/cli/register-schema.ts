import { isQuasarError, QuasarError } from '../core/errors.ts';
import { parseIri } from '../metadata/iri.ts';
import { parseSchemaUrn } from '../metadata/schema-urn.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { inputName, readJson } from './json-input.ts';
import { jsonObject, jsonRequest } from './json-request.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** `quasar schema add`. */
export async function registerSchema(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [urn, namespace, file] = args as [string, string, string];
  const body = jsonObject({
    schemaUrn: JSON.stringify(parseSchemaUrn(urn, 'URN').urn),
    namespaceUrn: JSON.stringify(parseIri(namespace, 'NAMESPACE')),
    lifecycle: flags.switch('draft') ? '"draft"' : '"active"',
    schema: await readJson(file, terminal),
  });
  // A repeat of the same content is no change.
  const { status, value } = await withClient(context, (http) =>
    new Attempts(context).run(() => http.json(jsonRequest('POST', '/v1/schemas', body))),
  ).catch((error) => {
    throw withPlace(error, inputName(file));
  });
  const { schemaUrn, lifecycle } = record(value);
  const known = status === 200 ? ', registered before' : '';
  if (flags.switch('json')) await terminal.printJson(value);
  else await terminal.print(printable(`${schemaUrn} is ${lifecycle}${known}.`));
  return 0;
}

/** Says where in the schema the fault is. */
function withPlace(error: unknown, name: string): unknown {
  if (!isQuasarError(error, 'schema_invalid')) return error;
  const { path } = error.details;
  const place = typeof path === 'string' && path !== '' ? `${name} at ${path}` : name;
  return new QuasarError('schema_invalid', {
    op: 'cli.registerSchema',
    message: `${place}: ${error.message}`,
    details: error.details,
    cause: error,
  });
}
