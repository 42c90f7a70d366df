import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { systemClock } from '../../src/core/clock.ts';
import type { FileStore, Requests } from './file-store.ts';

/** Checks that what servers answer is true: a fast wrong answer is worth nothing. */

const PIECE = 1024 * 1024;

export interface StoredFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** A server, and what every request to it carries. */
export interface Origin {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A file of random bytes. */
export function makeFile(path: string, size: number): StoredFile {
  const hash = createHash('sha256');
  const file = openSync(path, 'w', 0o644);
  for (let at = 0; at < size; at += PIECE) {
    const bytes = systemClock.random(Math.min(PIECE, size - at));
    hash.update(bytes);
    writeSync(file, bytes);
  }
  closeSync(file);
  return { path, size, sha256: hash.digest('hex') };
}

interface Version {
  readonly documentId: string;
  readonly filename: string | null;
  readonly size: number;
  readonly digests: { readonly sha256: string };
}

/** Uploads in one request, checks the digests of the answer, and returns the path of the content. */
export async function putFile({ url, headers: always }: Origin, file: StoredFile): Promise<string> {
  const headers = { ...always, 'content-type': 'application/octet-stream', 'content-length': file.size };
  const outgoing = request(`${url}/v1/documents?filename=bench.bin`, { method: 'POST', headers });
  const answered = new Promise<Version>((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (answer) => {
      if (answer.statusCode === 201) json(answer).then((body) => resolve(body as Version), reject);
      else reject(new Error(`the upload was answered ${answer.statusCode}`));
    });
  });
  const [version] = await Promise.all([answered, pipeline(createReadStream(file.path, { highWaterMark: PIECE }), outgoing)]);
  if (version.size !== file.size || version.digests.sha256 !== file.sha256)
    throw new Error('an upload was answered with wrong digests');
  return contentPath(version.documentId);
}

/** Uploads in one request to any store, and returns the requests that read it. */
export async function storeFile(store: FileStore, file: StoredFile): Promise<Requests> {
  const { method, paths, headers } = await store.writes(1, file.size);
  const outgoing = request(`http://127.0.0.1:${store.port}${firstPath({ paths })}`, {
    method,
    headers: { 'Content-Type': 'application/octet-stream', ...headers, 'Content-Length': file.size },
  });
  const answered = new Promise<void>((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (answer) => {
      const { statusCode = 0 } = answer;
      answer.resume();
      if (statusCode >= 200 && statusCode <= 299) answer.once('end', resolve);
      else reject(new Error(`${store.name} answered an upload with ${statusCode}`));
    });
  });
  await Promise.all([answered, pipeline(createReadStream(file.path, { highWaterMark: PIECE }), outgoing)]);
  return store.reads();
}

export function firstPath({ paths }: Pick<Requests, 'paths'>): string {
  const first = typeof paths === 'string' ? paths.replace('%d', '0') : paths[0];
  if (first === undefined) throw new Error('there is nothing to ask for');
  return first;
}

/** Throws unless the server answers a GET of the whole file, and of ranges of it, with the right bytes. */
export async function checkDownload(origin: Origin, path: string, file: StoredFile): Promise<void> {
  await checkWhole(origin, path, file);
  const { size } = file;
  for (const [start, end] of [
    [0, 65_536],
    [1_048_575, 1_048_577],
    [size - 65_536, size],
  ] as const) {
    await checkRange(origin, path, { file, start, end });
  }
}

/** Throws unless the server answers a GET with all of the file. */
export async function checkWhole({ url, headers }: Origin, path: string, file: StoredFile): Promise<void> {
  const whole = await fetch(url + path, { headers });
  if (whole.status !== 200) throw new Error(`the download was answered ${whole.status}`);
  if ((await sha256Of(whole)) !== file.sha256) throw new Error('a download has other bytes than the upload');
}

/** What the server lists is what it has acknowledged: so many documents of this size, and the newest reads back whole. */
export async function checkStored(
  origin: Origin,
  size: number,
  { count, unclear }: { readonly count: number; readonly unclear: number },
): Promise<void> {
  let newest: Version | undefined;
  let listed = 0;
  for await (const version of listDocuments(origin)) {
    if (version.size !== size) continue;
    newest ??= version;
    listed += 1;
  }
  if (listed < count || listed > count + unclear)
    throw new Error(`${count} uploads of ${size} bytes were acknowledged, ${listed} are listed`);
  if (newest === undefined) return;
  const { url, headers } = origin;
  const answer = await fetch(url + contentPath(newest.documentId), { headers });
  if (answer.status !== 200 || (await sha256Of(answer)) !== newest.digests.sha256)
    throw new Error('a measured upload does not read back');
}

/** The current versions of all documents, the newest document first. */
export async function* listDocuments({ url, headers }: Origin): AsyncGenerator<Version> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const from = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await fetch(`${url}/v1/documents?limit=1000${from}`, { headers });
    if (answer.status !== 200) throw new Error(`the list of documents was answered ${answer.status}`);
    const page = (await answer.json()) as { items: { current: Version }[]; nextCursor: string | null };
    for (const { current } of page.items) yield current;
    cursor = page.nextCursor;
  }
}

export function contentPath(documentId: string): string {
  return `/v1/documents/${documentId}/content`;
}

async function checkRange(
  { url, headers }: Origin,
  path: string,
  { file, start, end }: { readonly file: StoredFile; readonly start: number; readonly end: number },
): Promise<void> {
  const answer = await fetch(url + path, { headers: { ...headers, range: `bytes=${start}-${end - 1}` } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const right = readPart(file.path, start, end);
  if (answer.status !== 206 || !bytes.equals(right))
    throw new Error(`range ${start}-${end - 1} is answered ${answer.status} with wrong bytes`);
}

function readPart(path: string, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  const file = openSync(path, 'r');
  readSync(file, bytes, 0, bytes.length, start);
  closeSync(file);
  return bytes;
}

async function sha256Of(answer: Response): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) hash.update(piece);
  return hash.digest('hex');
}
