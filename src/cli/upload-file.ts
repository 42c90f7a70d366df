import { createHash } from 'node:crypto';
import { blake3Hasher, blockIdOf } from '../core/blake3.ts';
import { type ErrorCode, isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Attempts } from './attempts.ts';
import { assertExpected, assertNotTooLong, type ExpectedSource } from './expected-source.ts';
import { contentOf, FileBytes, type FileContent, readWhole } from './file-bytes.ts';
import { fileFault } from './file-fault.ts';
import type { HttpClient } from './http-client.ts';
import { openSession, otherUpload } from './open-session.ts';
import { fileChanged, type OpenSource } from './put-source.ts';
import { findPresent, readThrough, type TargetDocument } from './put-target.ts';
import type { Turn } from './turn.ts';
import {
  type OpenedSession,
  offsetAfterFailure,
  record,
  type SessionRequest,
  type SessionWish,
  type StoredDocument,
  type UploadClient,
  unexpected,
} from './upload-client.ts';

/** Sends a file and makes sure that what the server says it stored is what was read here. */
export interface UploadTask {
  readonly client: UploadClient;
  readonly http: HttpClient;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
  readonly turn: Turn;
  readonly wish: SessionWish;
  readonly expected: ExpectedSource;
  /** The document that gets a version, when its current one may be what is to be stored. */
  readonly known: TargetDocument | undefined;
  /** Nothing that an earlier run began is continued. */
  readonly again: boolean;
  /** An idempotency key that nothing was asked for with. */
  readonly freshKey: () => string;
  /** The idempotency key of this content. */
  readonly keyOf: (content: { readonly kind: 'whole' | 'session'; readonly blake3: string }) => string;
  /** Told the offset up to which bytes left us; it goes back when a connection broke. */
  readonly onProgress: (offset: number) => void;
  /** Told when sending goes on at bytes the server holds already. */
  readonly onResume: (offset: number) => void;
}

/** One request for what fits into memory, a session for the rest. JSON bodies of one request would be taken for a session's. */
export async function uploadFile(source: OpenSource, task: UploadTask): Promise<StoredDocument> {
  const fits = task.wish.documentId === undefined && !JSON_TYPE.test(task.wish.contentType ?? '');
  const whole = fits ? await readWhole(source) : undefined;
  return whole === undefined ? uploadInSession(source, task) : uploadWhole(whole, task);
}

async function uploadWhole(bytes: Buffer, task: UploadTask): Promise<StoredDocument> {
  const { client, attempts, wish, expected } = task;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const blake3 = blockIdOf(bytes);
  assertExpected(expected, { size: bytes.length, sha256, blake3 });
  const present = await attempts.run(() => findPresent(task.http, task.known, blake3));
  if (present !== undefined) return present;
  const idempotencyKey = task.keyOf({ kind: 'whole', blake3 });
  const put = () => attempts.run(() => asDamage(client.putWhole(bytes, sha256, { ...wish, idempotencyKey })));
  const stored = await task.turn.take(idempotencyKey, put);
  task.onProgress(bytes.length);
  assertSame(stored, sha256, bytes.length);
  return stored;
}

/** Read once to know what it is, and once more to send it: the server refuses what is no longer the same. */
async function uploadInSession(source: OpenSource, task: UploadTask): Promise<StoredDocument> {
  const { signal, expected } = task;
  const content = await contentOf(source, { signal, withSha256: expected.sha256 !== undefined });
  assertExpected(expected, content);
  const present = await task.attempts.run(() => findPresent(task.http, task.known, content.blake3));
  if (present !== undefined) return present;
  const idempotencyKey = task.keyOf({ kind: 'session', blake3: content.blake3 });
  return task.turn.take(idempotencyKey, () => sendInSession(source, content, idempotencyKey, task));
}

async function sendInSession(
  source: OpenSource,
  { size, blake3 }: FileContent,
  idempotencyKey: string,
  task: UploadTask,
): Promise<StoredDocument> {
  const { wish } = task;
  const bytes = new FileBytes(source.descriptor, size);
  try {
    const request = { ...wish, size, digests: { blake3 }, idempotencyKey };
    const session = await openSession(request, task);
    // Nothing will be sent and compared: what is there is read instead. Whatever that meets, the finalize tells.
    if (session.found && session.offset === size) await readThrough(task.http, `/v1/blobs/b3:${blake3}`).catch(() => undefined);
    return await complete(bytes, session, task).catch((error) => {
      // Nothing had to be sent, so nothing was mended. Sent as a further version it is, and the earlier one with it.
      if (session.offset < size || !isQuasarError(error, 'corrupt') || error.details.status === undefined) throw error;
      return mend(bytes, { ...request, documentId: session.documentId, folderId: undefined }, task);
    });
  } finally {
    await bytes.settle();
  }
}

async function mend(bytes: FileBytes, request: SessionRequest, task: UploadTask): Promise<StoredDocument> {
  const session = await openSession({ ...request, idempotencyKey: task.freshKey() }, task);
  return complete(bytes, session, task, 'What was stored of the same bytes is damaged.');
}

async function complete(bytes: FileBytes, session: OpenedSession, task: UploadTask, reason?: string): Promise<StoredDocument> {
  const { client, attempts } = task;
  const { uploadId, offset } = session;
  return orCancel({ client, uploadId }, async () => {
    if (offset > 0 && offset < bytes.size) task.onResume(offset);
    await sendFile(bytes, { uploadId, offset }, task);
    const sha256 = await bytes.sha256();
    const stored = await attempts.run(() => asChange(client.finalize(uploadId, sha256, reason), sha256));
    assertSame(stored, sha256, bytes.size);
    return stored;
  });
}

/** A session that holds bytes of something else can never be finalised, and must not be found again by a later run. */
async function orCancel<T>(
  { client, uploadId, spoils = spoilsSession }: { client: UploadClient; uploadId: string; spoils?: (error: unknown) => boolean },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (spoils(error)) await client.cancel(uploadId).catch(() => undefined);
    throw error;
  }
}

function spoilsSession(error: unknown): boolean {
  return isQuasarError(error) && SPOILT.has(error.code);
}

const SPOILT: ReadonlySet<ErrorCode> = new Set(['corrupt', 'file_changed', 'source_differs']);

/** Sends from the offset to the end; whatever breaks meanwhile, it goes on where the server stands. */
async function sendFile(bytes: FileBytes, session: { uploadId: string; offset: number }, task: UploadTask): Promise<void> {
  const { client, attempts, onProgress, onResume } = task;
  const { uploadId } = session;
  let { offset } = session;
  let furthest = offset;
  while (offset < bytes.size) {
    const start = offset;
    const chunks = reported(bytes.from(start), start, onProgress);
    try {
      offset = await client.send(uploadId, start, { size: bytes.size - start, chunks });
      if (offset <= start) throw unexpected('progress of an upload');
    } catch (failure) {
      offset = await offsetAfterFailure(failure, { client, uploadId }, attempts);
      onResume(offset);
    }
    onProgress(offset);
    if (offset > furthest) attempts.progressed();
    furthest = Math.max(furthest, offset);
  }
}

async function* reported(
  chunks: AsyncIterable<Buffer>,
  from: number,
  onProgress: (offset: number) => void,
): AsyncGenerator<Buffer> {
  let offset = from;
  for await (const chunk of chunks) {
    yield chunk;
    offset += chunk.length;
    onProgress(offset);
  }
}

/**
 * Standard input cannot be read twice, so it goes in pieces that are kept until the server holds them durably.
 * Its session is found again within this run only.
 */
export async function uploadPipe(input: AsyncIterable<Buffer>, task: UploadTask): Promise<StoredDocument> {
  const { client, attempts, wish, expected } = task;
  const { size, ...digests } = expected;
  const idempotencyKey = task.keyOf({ kind: 'session', blake3: '' });
  const { uploadId, offset } = await openSession({ ...wish, size, digests, idempotencyKey }, task);
  // What an earlier run sent of its input cannot be compared with the beginning of this one.
  if (offset > 0) throw otherUpload(uploadId);
  // Another run could not continue it, whatever ended this one.
  return orCancel({ client, uploadId, spoils: () => true }, async () => {
    const read = await sendPipe(readable(input), uploadId, task);
    await assertUninterrupted(task.signal);
    assertExpected(expected, read);
    const stored = await attempts.run(() => asDamage(client.finalize(uploadId, read.sha256)));
    assertSame(stored, read.sha256, read.size);
    return stored;
  });
}

async function* readable(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* input;
  } catch (cause) {
    throw fileFault(cause, 'read');
  }
}

async function sendPipe(
  input: AsyncIterable<Buffer>,
  uploadId: string,
  task: UploadTask,
): Promise<{ readonly size: number; readonly sha256: string; readonly blake3: string }> {
  const sha256 = createHash('sha256');
  const blake3 = blake3Hasher();
  let at = 0;
  for await (const piece of pieces(input, limits.putPipedPieceSize)) {
    assertNotTooLong(task.expected, at + piece.length);
    sha256.update(piece);
    blake3.update(piece);
    await sendPiece(piece, at, uploadId, task);
    at += piece.length;
  }
  return { size: at, sha256: sha256.digest('hex'), blake3: blake3.digest().toString('hex') };
}

/** Ctrl-C ends the whole pipeline: the end of the input then arrives together with the signal, and must not count as its end. */
async function assertUninterrupted(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

async function sendPiece(piece: Buffer, at: number, uploadId: string, task: UploadTask): Promise<void> {
  const { client, attempts, onProgress } = task;
  let sent = 0;
  while (sent < piece.length) {
    const offset = at + sent;
    const rest = piece.subarray(sent);
    let reached: number;
    try {
      reached = await client.send(uploadId, offset, { size: rest.length, chunks: [rest] });
      if (reached <= offset) throw unexpected('progress of an upload');
    } catch (failure) {
      reached = await offsetAfterFailure(failure, { client, uploadId }, attempts);
    }
    if (reached < at || reached > at + piece.length) {
      throw new QuasarError('upload_offset_mismatch', {
        op: 'cli.put',
        message: 'The server holds another part of the input than was sent.',
      });
    }
    if (reached > offset) attempts.progressed();
    sent = reached - at;
    onProgress(reached);
  }
}

/** Gathers a stream into buffers of exactly `size` bytes, but for the last. Each is a copy of its own. */
export async function* pieces(input: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    let rest = chunk;
    while (length + rest.length >= size) {
      const taken = size - length;
      gathered.push(rest.subarray(0, taken));
      yield Buffer.concat(gathered);
      rest = rest.subarray(taken);
      gathered = [];
      length = 0;
    }
    if (rest.length > 0) gathered.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(gathered);
}

/** We announced the digest of what we read: a mismatch means that bytes changed on their way. */
async function asDamage<T>(outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } catch (cause) {
    if (!isQuasarError(cause, 'digest_mismatch')) throw cause;
    throw damage(cause);
  }
}

/** The server got what was sent: so the file is no longer what it was when it was read first. */
async function asChange<T>(outcome: Promise<T>, sha256: string): Promise<T> {
  try {
    return await outcome;
  } catch (cause) {
    if (!isQuasarError(cause, 'digest_mismatch')) throw cause;
    throw record(cause.details.received).sha256 === sha256 ? fileChanged() : damage(cause);
  }
}

function assertSame(stored: StoredDocument, sha256: string, size: number): void {
  if (stored.sha256 !== sha256 || stored.size !== size) throw damage(undefined);
}

function damage(cause: unknown): QuasarError {
  return new QuasarError('corrupt', {
    op: 'cli.put',
    message:
      'The server received other bytes than were read here: the SHA-256 differs. Check the memory of both machines, then store it again.',
    cause,
  });
}

const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i;
