import { isQuasarError, QuasarError } from '../core/errors.ts';
import { parseId, type VersionId } from '../core/ids.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { usage } from './flags.ts';
import type { HttpClient } from './http-client.ts';
import { jsonRequest } from './json-request.ts';
import { labelPath } from './label-path.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';
import { documentPath } from './version-selector.ts';

/** `quasar label DOCUMENT LABEL VERSION`: compare-and-set, so that of two who move a label one is told. */
export async function moveLabel(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const [document, label, version] = args as [string, string, string | undefined];
  if (version === undefined) throw usage('VERSION is missing; --moves lists where the label stood.');
  const versionId = parseId<VersionId>(version, 'VERSION');
  const path = labelPath(document, label);
  const told = toldPlace(flags.text('expect'));
  const { expected, moved } = await withClient(context, async (http) => {
    const attempts = new Attempts(context);
    const expected = told === undefined ? await attempts.run(() => placeOf(http, document, label)) : told;
    if (told === undefined && !flags.switch('json')) terminal.note(printable(`${label} stands at ${expected ?? 'no version'}.`));
    // A repeat finds the label where it is to be, and is no conflict.
    const body = JSON.stringify({ versionId, expected, reason: flags.text('reason') });
    const { value } = await attempts
      .run(() => http.json(jsonRequest('PUT', path, body)))
      .catch((error) => {
        throw explained(error, { document, label, versionId, expected });
      });
    return { expected, moved: record(value).moved };
  });
  if (flags.switch('json')) await terminal.printJson({ label, versionId, expected, moved });
  else await terminal.print(printable(`${label} ${moved === true ? 'stands' : 'stood already'} at ${versionId}.`));
  return 0;
}

/** Null: at no version. */
function toldPlace(expect: string | undefined): VersionId | null | undefined {
  if (expect === undefined) return undefined;
  return expect === 'none' ? null : parseId<VersionId>(expect, '--expect');
}

async function placeOf(http: HttpClient, document: string, label: string): Promise<VersionId | null> {
  try {
    const path = `${documentPath(document)}?label=${encodeURIComponent(label)}`;
    const { version } = record((await http.json({ method: 'GET', path })).value);
    return parseId<VersionId>(String(record(version).versionId), 'versionId');
  } catch (error) {
    if (isQuasarError(error, 'version_not_found')) return null;
    throw error;
  }
}

function explained(
  error: unknown,
  wish: { document: string; label: string; versionId: string; expected: VersionId | null },
): unknown {
  const { document, label, versionId, expected } = wish;
  if (isQuasarError(error, 'version_not_found')) {
    const message = `The document has no version ${versionId}; "quasar versions ${document}" lists what it has.`;
    return new QuasarError('version_not_found', { op: 'cli.label', message, details: error.details, cause: error });
  }
  if (!isQuasarError(error, 'label_conflict')) return error;
  const stands = error.details.versionId ?? null;
  const advice = `Look at it, then say --expect ${stands ?? 'none'}.`;
  return new QuasarError('label_conflict', {
    op: 'cli.label',
    message: `${label} stands at ${stands ?? 'no version'}, not at ${expected ?? 'none'}; nothing moved. ${advice}`,
    details: error.details,
    cause: error,
  });
}
