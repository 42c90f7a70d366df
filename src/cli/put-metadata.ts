import { isQuasarError, QuasarError } from '../core/errors.ts';
import { parseId, type VersionId } from '../core/ids.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { noteFaults } from './fault-lines.ts';
import { usage } from './flags.ts';
import { inputName, readJson } from './json-input.ts';
import { jsonObject, jsonRequest, jsonString } from './json-request.ts';
import { explainLostAnswer } from './lost-answer.ts';
import { printWritten } from './print-written.ts';
import { record } from './upload-client.ts';
import { documentPath } from './version-selector.ts';

/** `quasar meta put`. Not repeated by itself: each request that arrives makes a version. */
export async function putMetadata(context: CommandContext): Promise<number> {
  const { args, flags } = context;
  const [document, ...sources] = args as [string, ...string[]];
  const path = `${documentPath(document)}/metadata`;
  const text = flags.text('expect');
  const expected = text === undefined ? undefined : parseId<VersionId>(text, '--expect');
  const request = jsonRequest('POST', path, await bodyOf(context, sources));
  const headers = { ...request.headers, ...(expected === undefined ? {} : { 'if-match': `"v-${expected}"` }) };
  const { value } = await withClient(context, (http) => http.json({ ...request, headers })).catch((error) => {
    throw noteFaults(explainLostAnswer(conflictOf(error, expected), `quasar versions ${document}`), context);
  });
  const { namespaces } = record(value);
  await printWritten(context, record(value), Array.isArray(namespaces) ? namespaces : []);
  return 0;
}

async function bodyOf({ flags, terminal }: CommandContext, sources: readonly string[]): Promise<string> {
  const [first = ''] = sources;
  const reason = jsonString(flags.text('reason'));
  if (sources.length === 1 && !PAIR.test(first)) return withReason(await readJson(first, terminal), first, reason);
  const entries: string[] = [];
  for (const source of sources) {
    const [, namespace, file] = PAIR.exec(source) ?? [];
    if (namespace === undefined || file === undefined) throw usage(`"${source}" is no NAMESPACE=FILE; a bundle goes alone.`);
    // By hand: a namespace that is there twice is for the server to refuse, not for us to lose.
    entries.push(`${JSON.stringify(namespace)}:${jsonObject({ data: await readJson(file, terminal) })}`);
  }
  return jsonObject({ mode: '"canonical"', bundle: `{${entries.join(',')}}`, reason });
}

/** In front of what the bundle says, so that a reason in both is refused. */
function withReason(bundle: string, path: string, reason: string | undefined): string {
  const value: unknown = JSON.parse(bundle);
  if (typeof value !== 'object' || value === null || !('bundle' in value)) {
    throw new QuasarError('file_unreadable', {
      op: 'cli.putMetadata',
      message: `${inputName(path)} is no bundle: it has no "bundle". For the data of one namespace write NAMESPACE=${path}.`,
    });
  }
  return reason === undefined ? bundle : `{"reason":${reason},${bundle.trim().slice(1)}`;
}

function conflictOf(error: unknown, expected: VersionId | undefined): unknown {
  if (!isQuasarError(error, 'precondition_failed') || expected === undefined) return error;
  const current = error.details.versionId ?? /^"v-(.*)"$/.exec(String(error.details.etag))?.[1];
  return new QuasarError('precondition_failed', {
    op: 'cli.putMetadata',
    message: `The current version is ${current}, not ${expected}; nothing was stored. Look at it, then say --expect ${current}.`,
    details: error.details,
    cause: error,
  });
}

/** The scheme of an IRI, the rest of it, a file. */
const PAIR = /^([a-z][a-z0-9+.-]*:[^=]+)=(.+)$/is;
