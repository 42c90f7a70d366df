import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { isQuasarError, QuasarError, toQuasarError } from '../core/errors.ts';
import { type DocumentId, parseId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { openContent } from './download-client.ts';
import type { HttpClient } from './http-client.ts';
import { jsonObject, jsonRequest } from './json-request.ts';
import { record, type StoredDocument } from './upload-client.ts';

/** The document that a file becomes a further version of. */
export interface TargetDocument {
  readonly documentId: string;
  /** Its current version. */
  readonly versionId: string;
  /** What the server says of the current version. */
  readonly current: Readonly<Record<string, unknown>>;
}

/** What `--update` notes on a document: the path on this machine that it comes from. */
export interface PathRef {
  readonly system: string;
  readonly value: string;
}

export const PATH_SYSTEM = 'file';

/** @throws QuasarError `file_unreadable` for a path that cannot be a reference. */
export function pathRefOf(path: string): PathRef {
  const value = `${hostname()}:${resolve(path)}`.normalize('NFC');
  const fits = value.length <= limits.externalRefMax && encodeURIComponent(value).length < limits.pathMax - PATH_ROOM;
  if (fits && !/\p{Cc}/u.test(value)) return { system: PATH_SYSTEM, value };
  throw new QuasarError('file_unreadable', {
    op: 'cli.put',
    message: `--update cannot note its path: it has control characters, or is longer than ${limits.externalRefMax} characters with the host name. Use --as-version DOCUMENT.`,
  });
}

/** For what stands before the reference in a request line. */
const PATH_ROOM = 100;

/** Undefined when no document is linked to the path, or none that the caller may read. */
export async function findByPath(http: HttpClient, { system, value }: PathRef): Promise<TargetDocument | undefined> {
  const { value: page } = await http.json({
    method: 'GET',
    path: `/v1/documents?ref=${encodeURIComponent(`${system}:${value}`)}`,
  });
  const { items } = record(page);
  const [found] = Array.isArray(items) ? items : [];
  return found === undefined ? undefined : targetOf(found);
}

/**
 * The document must be there: an upload that names an id nobody has used would make a new document of it.
 * @throws QuasarError `document_not_found`, also for a caller who may not read it; `forbidden`.
 */
export async function findTarget(http: HttpClient, documentId: string): Promise<TargetDocument> {
  const id = parseId<DocumentId>(documentId, '--as-version');
  const { value } = await http.json({ method: 'GET', path: `/v1/documents/${id}` });
  return targetOf(value);
}

/** Whether the document is linked to another path of this machine at which there still is a file: this one is a copy of it. */
export async function isOfAnotherFile(http: HttpClient, documentId: string, own: PathRef): Promise<boolean> {
  const { value: document } = await http.json({ method: 'GET', path: `/v1/documents/${documentId}` });
  const { externalRefs } = record(document);
  const here = `${hostname()}:`.normalize('NFC');
  return (Array.isArray(externalRefs) ? externalRefs : []).map(record).some(({ system, value }) => {
    if (system !== PATH_SYSTEM || typeof value !== 'string' || value === own.value || !value.startsWith(here)) return false;
    return existsSync(value.slice(here.length));
  });
}

/** @throws QuasarError that says the document is stored all the same. */
export async function linkPath(http: HttpClient, documentId: string, { system, value }: PathRef): Promise<void> {
  const path = `/v1/documents/${documentId}/refs/${system}/${encodeURIComponent(value)}`;
  try {
    await http.json(jsonRequest('PUT', path, jsonObject({})));
  } catch (cause) {
    const { code, message, details } = toQuasarError(cause, 'cli.put');
    const told = `It is stored as document ${documentId}, but its path could not be noted: ${message}`;
    throw new QuasarError(code, { op: 'cli.put', message: told, details, cause });
  }
}

/**
 * The current version, when it holds these bytes already and the server does not know them to be damaged: damage is mended
 * by sending them again.
 */
export async function findPresent(
  http: HttpClient,
  target: TargetDocument | undefined,
  blake3: string,
): Promise<StoredDocument | undefined> {
  if (target === undefined) return undefined;
  const { documentId, versionId, current } = target;
  const { size, contentRef, digests } = current;
  const { key } = record(contentRef);
  const { sha256 } = record(digests);
  if (key !== `b3:${blake3}` || typeof size !== 'number' || typeof sha256 !== 'string') return undefined;
  if (await isDamaged(http, `/v1/documents/${documentId}/content?version=${versionId}`)) return undefined;
  return { documentId, versionId, key, size, sha256, durability: '', fresh: false };
}

/** What was never read since it rotted is known to nobody: the server checks each block on its way out. */
async function isDamaged(http: HttpClient, path: string): Promise<boolean> {
  try {
    await readThrough(http, path);
    return false;
  } catch (error) {
    if (isQuasarError(error, 'corrupt')) return true;
    throw error;
  }
}

/**
 * Has the server read all of a content, and drops it. An answer that broke off is asked for again: when it was for damage,
 * that is known by then. @throws QuasarError `corrupt`.
 */
export async function readThrough(http: HttpClient, path: string): Promise<void> {
  const whole = { range: undefined, etag: undefined };
  const { body } = await openContent(http, path, whole);
  try {
    for await (const _ of body);
  } catch (cause) {
    (await openContent(http, path, whole)).body.destroy();
    throw http.bodyFault(cause);
  }
}

function targetOf(value: unknown): TargetDocument {
  const { documentId, currentVersionId, current } = record(value);
  return { documentId: String(documentId), versionId: String(currentVersionId), current: record(current) };
}
