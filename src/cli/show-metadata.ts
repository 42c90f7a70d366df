import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { faultLines } from './fault-lines.ts';
import type { Flags } from './flags.ts';
import { explainMissing, namespacePath } from './namespace-path.ts';
import { printIndentedJson } from './print-json.ts';
import { printable, type Terminal } from './terminal.ts';
import { record } from './upload-client.ts';
import { documentPath, selectorQuery } from './version-selector.ts';

/** `quasar meta get`. */
export async function showMetadata(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [document, namespace] = args as [string, string | undefined];
  const query = queryOf(flags);
  const path = namespace === undefined ? `${documentPath(document)}/metadata` : namespacePath(document, namespace);
  const { value } = await withClient(context, (http) =>
    new Attempts(context).run(() => http.json({ method: 'GET', path: `${path}${query}` })),
  ).catch((error) => {
    throw explainMissing(error, document, namespace ?? '');
  });
  const answer = namespace === undefined && flags.switch('derived') ? withoutCanonical(record(value)) : record(value);
  if (flags.switch('json')) await terminal.printJson(answer);
  else await printEntries(terminal, answer);
  return 0;
}

function queryOf(flags: Flags): string {
  const query = new URLSearchParams(selectorQuery(flags));
  if (flags.switch('derived')) query.set('mode', 'derived');
  if (flags.switch('quarantined')) query.set('quarantined', 'true');
  return query.size === 0 ? '' : `?${query}`;
}

function withoutCanonical({ canonical: _, ...others }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return others;
}

/** The answer for one namespace has one entry, that for all has them by layer and namespace. */
async function printEntries(terminal: Terminal, answer: Readonly<Record<string, unknown>>): Promise<void> {
  await terminal.print(printable(`version: ${answer.versionId}`));
  if (answer.entry !== undefined) return printEntry(terminal, `${answer.layer} ${answer.namespace}`, answer.entry);
  for (const layer of ['canonical', 'derived']) {
    for (const [namespace, entry] of Object.entries(record(answer[layer]))) {
      await printEntry(terminal, `${layer} ${namespace}`, entry);
    }
  }
}

async function printEntry(terminal: Terminal, title: string, entry: unknown): Promise<void> {
  const { metadataId, schema, status, data, errors, provenance, createdAt } = record(entry);
  await terminal.print(printable(`${title}:`));
  const facts = { metadataId, schema: record(schema).$id, status, createdAt };
  for (const [name, fact] of Object.entries(facts)) await terminal.print(printable(`  ${name}: ${fact}`));
  for (const line of faultLines(errors)) await terminal.print(`  ${line}`);
  if (provenance !== undefined) {
    await terminal.print('  provenance:');
    await printIndentedJson(terminal, provenance, '    ');
  }
  await terminal.print('  data:');
  await printIndentedJson(terminal, data, '    ');
}
