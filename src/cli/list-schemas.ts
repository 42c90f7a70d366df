import { parseIri } from '../metadata/iri.ts';
import type { CommandContext } from './command.ts';
import { printPages } from './print-pages.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** `quasar schema ls`. */
export function listSchemas(context: CommandContext): Promise<number> {
  const [namespace] = context.args;
  const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(parseIri(namespace, 'NAMESPACE'))}`;
  return printPages(context, { path: `/v1/schemas${query}`, line: schemaLine });
}

function schemaLine(item: unknown): string {
  const { schemaUrn, lifecycle, namespaceUrn, updatedAt } = record(item);
  return printable(`${schemaUrn}  ${String(lifecycle).padEnd(10)}  ${namespaceUrn}  ${updatedAt}`);
}
