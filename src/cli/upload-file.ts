import { createHash } from 'node:crypto';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Attempts } from './attempts.ts';
import { FileBytes, readAt } from './file-bytes.ts';
import { assertUnchanged, type OpenSource } from './put-source.ts';
import { offsetAfterFailure, type SessionWish, type StoredDocument, type UploadClient, unexpected } from './upload-client.ts';

/** Sends a file and makes sure that what the server says it stored is what was read here. */
export interface UploadTask {
  readonly client: UploadClient;
  readonly attempts: Attempts;
  readonly wish: SessionWish;
  /** Told the offset up to which bytes left us; it goes back when a connection broke. */
  readonly onProgress: (offset: number) => void;
  /** Told when sending goes on at bytes the server holds already. */
  readonly onResume: (offset: number) => void;
}

/** One request for what fits into memory, a session for the rest. JSON bodies of one request would be taken for a session's. */
export async function uploadFile(source: OpenSource, task: UploadTask): Promise<StoredDocument> {
  const whole =
    source.size <= limits.putOneShotMax && task.wish.documentId === undefined && task.wish.contentType !== 'application/json';
  const { stored, sha256 } = whole ? await uploadWhole(source, task) : await uploadInSession(source, task);
  assertSame(stored, sha256, source.size);
  return stored;
}

interface Outcome {
  readonly stored: StoredDocument;
  readonly sha256: string;
}

async function uploadWhole(source: OpenSource, task: UploadTask): Promise<Outcome> {
  const bytes = Buffer.allocUnsafeSlow(source.size);
  let filled = 0;
  while (filled < bytes.length) {
    const bytesRead = await readAt(source.descriptor, bytes.subarray(filled), filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  assertUnchanged(source);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const stored = await task.attempts.run(() => asDamage(task.client.putWhole(bytes, sha256, task.wish)));
  task.onProgress(source.size);
  return { stored, sha256 };
}

async function uploadInSession(source: OpenSource, task: UploadTask): Promise<Outcome> {
  const { client, attempts, wish } = task;
  const bytes = new FileBytes(source.descriptor, source.size);
  try {
    const { uploadId, offset } = await attempts.run(() => client.open(wish));
    if (offset > 0 && offset < source.size) task.onResume(offset);
    await sendFile(bytes, { uploadId, offset }, task);
    assertUnchanged(source);
    const sha256 = await bytes.sha256();
    return { stored: await attempts.run(() => asDamage(client.finalize(uploadId, sha256))), sha256 };
  } finally {
    await bytes.settle();
  }
}

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
  const { client, attempts, wish } = task;
  const hash = createHash('sha256');
  const session = await attempts.run(() => client.open(wish));
  let at = session.offset;
  for await (const piece of pieces(input, limits.putPipedPieceSize)) {
    hash.update(piece);
    await sendPiece(piece, at, session.uploadId, task);
    at += piece.length;
  }
  const sha256 = hash.digest('hex');
  const stored = await attempts.run(() => asDamage(client.finalize(session.uploadId, sha256)));
  assertSame(stored, sha256, at);
  return stored;
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
