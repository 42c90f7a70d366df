import { isQuasarError, QuasarError } from '../core/errors.ts';
import { type MetadataId, parseId } from '../core/ids.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { noteFaults } from './fault-lines.ts';
import type { HttpClient } from './http-client.ts';
import { readJson } from './json-input.ts';
import { jsonObject, jsonRequest, jsonString } from './json-request.ts';
import { explainLostAnswer } from './lost-answer.ts';
import { explainMissing, namespacePath } from './namespace-path.ts';
import { printWritten } from './print-written.ts';
import { record } from './upload-client.ts';

/** `quasar meta patch`: against one entry, so that of two who patch it one is told. */
export async function patchMetadata(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [document, namespace, file] = args as [string, string, string];
  const path = namespacePath(document, namespace);
  const told = flags.text('base');
  const toldBase = told === undefined ? undefined : parseId<MetadataId>(told, '--base');
  const patch = await readJson(file, terminal);
  const value = await withClient(context, async (http) => {
    const base = toldBase ?? (await new Attempts(context).run(() => currentEntry(http, path)));
    if (toldBase === undefined && !flags.switch('json')) terminal.note(`Patching ${base}.`);
    const baseMetadataId = JSON.stringify(base);
    const body = jsonObject({ mode: '"canonical"', baseMetadataId, patch, reason: jsonString(flags.text('reason')) });
    const answer = await http.json(jsonRequest('POST', `${path}/patch`, body)).catch((error) => {
      const conflict = conflictOf(error, { base, document, namespace });
      throw noteFaults(explainLostAnswer(conflict, `quasar versions ${document}`), context);
    });
    return record(answer.value);
  }).catch((error) => {
    throw explainMissing(error, document, namespace);
  });
  await printWritten(context, value, [value]);
  return 0;
}

async function currentEntry(http: HttpClient, path: string): Promise<MetadataId> {
  const { entry } = record((await http.json({ method: 'GET', path })).value);
  return parseId<MetadataId>(String(record(entry).metadataId), 'metadataId');
}

function conflictOf(error: unknown, wish: { base: MetadataId; document: string; namespace: string }): unknown {
  if (!isQuasarError(error, 'metadata_conflict')) return error;
  const current = error.details.metadataId ?? undefined;
  const advice =
    current === undefined
      ? 'Nothing is there any more.'
      : `Look at it with "quasar meta get ${wish.document} ${wish.namespace}", then say --base ${current}.`;
  return new QuasarError('metadata_conflict', {
    op: 'cli.patchMetadata',
    message: `${wish.namespace} is at ${current ?? 'no entry'}, not at ${wish.base}; nothing changed. ${advice}`,
    details: error.details,
    cause: error,
  });
}
