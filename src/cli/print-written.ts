import type { CommandContext } from './command.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** What a write of metadata made: the version, and a line for each entry `{namespace, metadataId, status}`. */
export async function printWritten(
  { flags, terminal, args }: CommandContext,
  answer: Readonly<Record<string, unknown>>,
  entries: readonly unknown[],
): Promise<void> {
  if (flags.switch('json')) return terminal.printJson(answer);
  await terminal.print(printable(`version: ${answer.versionId}`));
  for (const entry of entries) {
    const { namespace, metadataId, status } = record(entry);
    await terminal.print(printable(`${namespace}  ${metadataId}  ${status}`));
  }
  if (entries.some((entry) => record(entry).status === 'quarantined')) {
    terminal.note(`What is quarantined does not fit its schema; "quasar meta get ${args[0]} --quarantined" says why.`);
  }
}
