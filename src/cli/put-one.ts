import { type QuasarError, toQuasarError } from '../core/errors.ts';
import { type FolderId, parseId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { Attempts } from './attempts.ts';
import type { CommandContext } from './command.ts';
import { contentTypeOf } from './content-type.ts';
import type { ExpectedSource } from './expected-source.ts';
import type { Gate } from './gate.ts';
import type { HttpClient } from './http-client.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { withAdvice } from './put-advice.ts';
import { idempotencyKeyOf } from './put-identity.ts';
import type { PutReport } from './put-report.ts';
import { closeSource, type OpenSource, openSource, type PutSource } from './put-source.ts';
import { findByPath, findTarget, isOfAnotherFile, linkPath, pathRefOf, type TargetDocument } from './put-target.ts';
import type { Turn } from './turn.ts';
import type { SessionWish, StoredDocument, UploadClient } from './upload-client.ts';
import { type UploadTask, uploadFile, uploadPipe } from './upload-file.ts';

/** What all files of one command share. */
export interface PutRun {
  readonly context: CommandContext;
  readonly display: ProgressDisplay;
  readonly report: PutReport;
  readonly large: Gate;
  /** Equal content under equal names is the same upload: one after the other, the second finds what the first stored. */
  readonly turn: Turn;
  readonly http: HttpClient;
  readonly client: UploadClient;
  readonly expected: ExpectedSource;
}

export async function putSource(source: PutSource, run: PutRun): Promise<void> {
  const { clock, signal } = run.context;
  signal.throwIfAborted();
  if (source.kind === 'skipped') return run.report.skipped(source.path, source.reason);
  if (source.kind === 'unreadable') return run.report.failed(source.path, source.failure);
  const startedMs = clock.monotonic();
  let stored: StoredDocument;
  try {
    stored = source.kind === 'pipe' ? await putPipe(source, run) : await putFile(source, run);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return run.report.failed(source.path, withAdvice(toQuasarError(error, 'cli.put')));
  }
  await run.report.stored(source.path, stored, clock.monotonic() - startedMs);
}

async function putFile(source: PutSource & { kind: 'file' }, run: PutRun): Promise<StoredDocument> {
  const open = await openSource(source.path);
  try {
    const send = () => sendFile(source, open, run);
    return await (open.size > limits.putSmallMax ? run.large.through(send) : send());
  } finally {
    closeSource(open);
  }
}

async function sendFile(source: PutSource & { kind: 'file' }, open: OpenSource, run: PutRun): Promise<StoredDocument> {
  const { flags, signal } = run.context;
  signal.throwIfAborted();
  const transfer = run.display.begin(source.path, open.size);
  try {
    if (!flags.switch('update')) return await storeFile(source, open, transfer, await targetOf(run, source.path), run);
    const ref = pathRefOf(source.path);
    return await run.turn.take(`path ${ref.value}`, async () => {
      const known = await attemptsOf(source.path, run).run(() => findByPath(run.http, ref));
      let stored = await storeFile(source, open, transfer, known, run);
      if (known === undefined && !stored.fresh) {
        // Content that is there already is this file's, stored or moved before, unless another file has it as its own.
        const { documentId } = stored;
        const taken = await attemptsOf(source.path, run).run(() => isOfAnotherFile(run.http, documentId, ref));
        if (taken) stored = await storeFile(source, open, transfer, known, run, ref.value);
      }
      if (known === undefined) await attemptsOf(source.path, run).run(() => linkPath(run.http, stored.documentId, ref));
      return stored;
    });
  } finally {
    transfer.end();
  }
}

/** The document of --as-version. */
function targetOf(run: PutRun, path: string): Promise<TargetDocument | undefined> {
  const { flags } = run.context;
  const documentId = flags.text('as-version') ?? flags.text('document');
  if (documentId === undefined) return Promise.resolve(undefined);
  return attemptsOf(path, run).run(() => findTarget(run.http, documentId));
}

/** `apart`: what tells this document from one of the same content and name. */
function storeFile(
  source: PutSource & { kind: 'file' },
  open: OpenSource,
  transfer: Transfer,
  target: TargetDocument | undefined,
  run: PutRun,
  apart?: string,
): Promise<StoredDocument> {
  const wish = wishOf(source.filename, target, run);
  const again = run.context.flags.switch('again');
  const keyOf: UploadTask['keyOf'] = (content) =>
    again ? randomKey(run) : idempotencyKeyOf(content, wish, target?.versionId ?? apart);
  const known = again ? undefined : target;
  return uploadFile(open, { ...taskOf(source.path, transfer, run), wish, keyOf, known });
}

async function putPipe(source: PutSource & { kind: 'pipe' }, run: PutRun): Promise<StoredDocument> {
  const { stdin } = run.context.terminal;
  const transfer = run.display.begin('standard input', undefined);
  const stop = () => stdin.destroy();
  run.context.signal.addEventListener('abort', stop, { once: true });
  try {
    const wish = wishOf(source.filename, await targetOf(run, source.path), run);
    return await uploadPipe(stdin, {
      ...taskOf(source.path, transfer, run),
      wish,
      keyOf: () => randomKey(run),
      known: undefined,
    });
  } finally {
    transfer.end();
    run.context.signal.removeEventListener('abort', stop);
    stdin.destroy();
  }
}

function wishOf(filename: string, target: TargetDocument | undefined, { context: { flags } }: PutRun): SessionWish {
  const stored = flags.text('name') ?? filename;
  return {
    documentId: target?.documentId,
    // A document that is there already stays where it lies.
    folderId: target === undefined ? folderOf(flags.text('folder')) : undefined,
    filename: stored,
    contentType: flags.text('type') ?? contentTypeOf(stored),
  };
}

function folderOf(text: string | undefined): FolderId | undefined {
  return text === undefined ? undefined : parseId<FolderId>(text, '--folder');
}

interface Transfer {
  reach(done: number): void;
}

function taskOf(path: string, transfer: Transfer, run: PutRun): Omit<UploadTask, 'wish' | 'keyOf' | 'known'> {
  return {
    client: run.client,
    http: run.http,
    attempts: attemptsOf(path, run),
    signal: run.context.signal,
    expected: run.expected,
    again: run.context.flags.switch('again'),
    freshKey: () => randomKey(run),
    turn: run.turn,
    onProgress: (offset: number) => transfer.reach(offset),
    onResume: (offset: number) => void run.report.resuming(path, offset),
  };
}

function attemptsOf(path: string, run: PutRun): Attempts {
  return new Attempts(run.context, (failure: QuasarError, waitMs) => void run.report.retrying(path, failure, waitMs));
}

function randomKey({ context: { clock } }: PutRun): string {
  return `put-${Buffer.from(clock.random(32)).toString('hex')}`;
}
