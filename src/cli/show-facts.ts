import { parseBlobKey } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { type DocumentId, parseId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { contentPath, headContent } from './download-client.ts';
import type { HttpClient } from './http-client.ts';
import { pagePath, parsePage } from './print-pages.ts';
import { printable, type Terminal } from './terminal.ts';
import { record } from './upload-client.ts';
import { assertDocument, documentPath, selectorQuery } from './version-selector.ts';

/** `quasar stat`: the argument's form tells a key; whether an id is a document's or an upload's, the server knows. */
export async function showFacts(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const name = args[0] as string;
  const query = selectorQuery(flags);
  if (query !== '') assertDocument(name);
  const facts = await withClient(context, (http) => {
    const attempts = new Attempts(context);
    return query === '' ? find(name, http, attempts) : findVersion(`${documentPath(name)}${query}`, http, attempts);
  });
  if (flags.switch('json')) await terminal.printJson(facts);
  else await printTree(terminal, facts, '');
  return 0;
}

async function find(name: string, http: HttpClient, attempts: Attempts): Promise<Record<string, unknown>> {
  if (name.startsWith('b3:')) {
    const key = parseBlobKey(name);
    const facts = await findOrUndefined(() => attempts.run(() => headContent(http, contentPath(key, ''))));
    if (facts === undefined) throw new QuasarError('blob_not_found', { op: 'cli.stat' });
    return { kind: 'blob', key, size: facts.size, sha256: facts.sha256 };
  }
  const id = parseId<DocumentId>(name, 'The argument');
  const document = await findOrUndefined(() => attempts.run(() => http.json({ method: 'GET', path: `/v1/documents/${id}` })));
  if (document !== undefined) {
    const path = pagePath(`/v1/documents/${id}/versions`, limits.pageSizeMax, undefined);
    const versions = parsePage((await attempts.run(() => http.json({ method: 'GET', path }))).value);
    // The current version is the first of them.
    const { current: _, ...facts } = record(document.value);
    return { kind: 'document', ...facts, versions: versions.items, moreVersions: versions.nextCursor !== undefined };
  }
  const upload = await findOrUndefined(() => attempts.run(() => http.json({ method: 'GET', path: `/v1/uploads/${id}` })));
  if (upload !== undefined) return { kind: 'upload', ...record(upload.value) };
  throw new QuasarError('document_not_found', { op: 'cli.stat', message: `There is no document and no upload ${id}.` });
}

async function findVersion(path: string, http: HttpClient, attempts: Attempts): Promise<Record<string, unknown>> {
  const { version } = record((await attempts.run(() => http.json({ method: 'GET', path }))).value);
  return { kind: 'version', ...record(version) };
}

async function findOrUndefined<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isQuasarError(error) && error.kind === 'not_found') return undefined;
    throw error;
  }
}

/** `name: value` lines, deeper ones indented. */
export async function printTree(terminal: Terminal, value: unknown, indent: string): Promise<void> {
  for (const [name, member] of Object.entries(record(value))) {
    if (Array.isArray(member) ? member.some(isComposite) : isComposite(member)) {
      await terminal.print(`${indent}${printable(name)}:`);
      const parts = Array.isArray(member) ? member : [member];
      for (const [index, part] of parts.entries()) {
        if (index > 0) await terminal.print(`${indent}  -`);
        await printTree(terminal, part, `${indent}  `);
      }
    } else {
      const text = Array.isArray(member) ? member.join(', ') : String(member ?? '-');
      await terminal.print(`${indent}${printable(name)}: ${printable(text)}`);
    }
  }
}

function isComposite(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
