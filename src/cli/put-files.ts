import { lstat } from 'node:fs/promises';
import { type ErrorCode, QuasarError, toQuasarError } from '../core/errors.ts';
import { type FolderId, parseId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { contentTypeOf } from './content-type.ts';
import { usage } from './flags.ts';
import { Gate } from './gate.ts';
import { forEachParallel } from './parallel.ts';
import { ProgressDisplay } from './progress-display.ts';
import { PutReport } from './put-report.ts';
import { closeSource, idempotencyKeyOf, listSources, type OpenSource, openSource, type PutSource } from './put-source.ts';
import { type SessionWish, type StoredDocument, UploadClient } from './upload-client.ts';
import { uploadFile, uploadPipe } from './upload-file.ts';

/** `quasar put`: one file's failure does not keep the others from being stored; the exit code is the worst. */
export async function putFiles(context: CommandContext): Promise<number> {
  const { flags, terminal, clock, signal } = context;
  assertFlagsFit(context);
  const display = new ProgressDisplay(terminal, clock);
  const report = new PutReport(terminal, display, flags.switch('json'));
  const startedMs = clock.monotonic();
  try {
    await withClient(context, async (http) => {
      const large = new Gate(flags.has('parallel') ? limits.putParallelMax : limits.putLargeParallelDefault);
      const run: PutRun = { context, display, report, large, client: new UploadClient(http) };
      if (terminal.interactive) announceTotals(run);
      const sources = listSources(context.args, flags.switch('recursive'));
      await forEachParallel(sources, flags.count('parallel') as number, (source) => putSource(source, run));
    });
  } catch (error) {
    display.close();
    if (signal.aborted && signal.reason.details?.quiet !== true) sayHowToContinue(context, report);
    throw error;
  } finally {
    display.close();
  }
  report.summary(clock.monotonic() - startedMs);
  return report.exitCode;
}

interface PutRun {
  readonly context: CommandContext;
  readonly display: ProgressDisplay;
  readonly report: PutReport;
  readonly large: Gate;
  readonly client: UploadClient;
}

function assertFlagsFit({ args, flags, terminal }: CommandContext): void {
  const single = args.length === 1 && !flags.switch('recursive');
  for (const name of ['name', 'document']) {
    if (flags.has(name) && !single) throw usage(`--${name} goes with a single file.`);
  }
  if (flags.has('folder') && flags.has('document'))
    throw usage('--folder is for new documents; a known one stays where it lies.');
  if (args.filter((path) => path === '-').length > 1) throw usage('Standard input can be stored once only.');
  if (args.includes('-') && terminal.typed) throw usage('Standard input is a terminal; pipe the bytes in, or name a file.');
}

async function putSource(source: PutSource, run: PutRun): Promise<void> {
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
    const wish = { ...wishOf(source.filename, run), size: open.size };
    const idempotencyKey = flags.switch('again')
      ? randomKey(run)
      : idempotencyKeyOf(source.path, open.stats, [
          wish.documentId,
          wish.filename,
          wish.contentType,
          ...(wish.folderId === undefined ? [] : [wish.folderId]),
        ]);
    return await uploadFile(open, taskOf(source.path, { ...wish, idempotencyKey }, transfer, run));
  } finally {
    transfer.end();
  }
}

async function putPipe(source: PutSource & { kind: 'pipe' }, run: PutRun): Promise<StoredDocument> {
  const { stdin } = run.context.terminal;
  const transfer = run.display.begin('standard input', undefined);
  const stop = () => stdin.destroy();
  run.context.signal.addEventListener('abort', stop, { once: true });
  try {
    const wish = { ...wishOf(source.filename, run), size: undefined, idempotencyKey: randomKey(run) };
    return await uploadPipe(stdin, taskOf(source.path, wish, transfer, run));
  } finally {
    transfer.end();
    run.context.signal.removeEventListener('abort', stop);
    stdin.destroy();
  }
}

function wishOf(filename: string, { context: { flags } }: PutRun) {
  const stored = flags.text('name') ?? filename;
  return {
    documentId: flags.text('document'),
    folderId: folderOf(flags.text('folder')),
    filename: stored,
    contentType: flags.text('type') ?? contentTypeOf(stored),
  };
}

function folderOf(text: string | undefined): FolderId | undefined {
  return text === undefined ? undefined : parseId<FolderId>(text, '--folder');
}

function taskOf(path: string, wish: SessionWish, transfer: { reach(done: number): void }, run: PutRun) {
  const attempts = new Attempts(run.context, (failure, waitMs) => void run.report.retrying(path, failure, waitMs));
  return {
    client: run.client,
    attempts,
    wish,
    onProgress: (offset: number) => transfer.reach(offset),
    onResume: (offset: number) => void run.report.resuming(path, offset),
  };
}

function randomKey({ context: { clock } }: PutRun): string {
  return `put-${Buffer.from(clock.random(32)).toString('hex')}`;
}

/** Counts ahead, beside the uploads, so that the display can tell the share and the time left. */
function announceTotals({ context, display }: PutRun): void {
  const count = async () => {
    let files = 0;
    let bytes = 0;
    for await (const source of listSources(context.args, context.flags.switch('recursive'))) {
      if (context.signal.aborted || source.kind === 'pipe') return;
      if (source.kind !== 'file') continue;
      files += 1;
      bytes += (await lstat(source.path)).size;
    }
    display.expect(files, bytes);
  };
  // Only the display misses something then; the uploads meet the same file and report it.
  count().catch(() => undefined);
}

const deadSession: readonly ErrorCode[] = ['upload_closed', 'upload_expired', 'upload_not_found'];

function withAdvice(failure: QuasarError): QuasarError {
  const advice = adviceFor(failure);
  if (advice === undefined) return failure;
  const { code, op, message, details } = failure;
  return new QuasarError(code, { op, message: `${message} ${advice}`, details, cause: failure });
}

function adviceFor({ code, details }: QuasarError): string | undefined {
  if (deadSession.includes(code)) return 'Add --again to begin a new upload.';
  if (code === 'bad_parameter' && details.parameter === 'filename') return 'Rename it, or give another name with --name.';
  return undefined;
}

function sayHowToContinue({ terminal, args }: CommandContext, report: PutReport): void {
  const what = args.includes('-')
    ? 'Standard input has to be sent again from its start.'
    : 'Run the same command again to continue where it stopped.';
  terminal.note(`${report.storedCount} stored before the interruption. ${what}`);
}
