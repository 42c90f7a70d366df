import { stat } from 'node:fs/promises';
import { limits } from '../core/limits.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { expectedSource } from './expected-source.ts';
import { usage } from './flags.ts';
import { Gate } from './gate.ts';
import { forEachParallel } from './parallel.ts';
import { ProgressDisplay } from './progress-display.ts';
import { type PutRun, putSource } from './put-one.ts';
import { PutReport } from './put-report.ts';
import { listSources } from './put-source.ts';
import { Turn } from './turn.ts';
import { UploadClient } from './upload-client.ts';

/** `quasar put`: one file's failure does not keep the others from being stored; the exit code is the worst. */
export async function putFiles(context: CommandContext): Promise<number> {
  const { flags, terminal, clock, signal } = context;
  assertFlagsFit(context);
  const expected = expectedSource(flags);
  const display = new ProgressDisplay(terminal, clock);
  const report = new PutReport(terminal, display, flags.switch('json'));
  const startedMs = clock.monotonic();
  try {
    await withClient(context, async (http) => {
      const large = new Gate(flags.has('parallel') ? limits.putParallelMax : limits.putLargeParallelDefault);
      const run: PutRun = { context, display, report, large, http, expected, client: new UploadClient(http), turn: new Turn() };
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

/** They say what one source is, or what becomes of it. */
const SINGLE = ['name', 'document', 'as-version', 'size', 'sha256', 'b3'] as const;

function assertFlagsFit({ args, flags, terminal }: CommandContext): void {
  const single = args.length === 1 && !flags.switch('recursive');
  for (const name of SINGLE) {
    if (flags.has(name) && !single) throw usage(`--${name} goes with a single file.`);
  }
  if (flags.text('name') === '') throw usage('--name takes a file name, and it is empty.');
  if (flags.has('document') && flags.has('as-version'))
    throw usage('--document is another name of --as-version; give one of them.');
  const versionOf = flags.has('document') || flags.has('as-version');
  if (flags.has('folder') && versionOf) throw usage('--folder is for new documents; a known one stays where it lies.');
  if (flags.switch('update')) {
    if (versionOf) throw usage('--update finds the document by the path; it does not go with --as-version.');
    if (flags.switch('again')) throw usage('--again makes new documents; it does not go with --update.');
    if (args.includes('-')) throw usage('Standard input has no path that --update could find a document by; use --as-version.');
  }
  if (args.filter((path) => path === '-').length > 1) throw usage('Standard input can be stored once only.');
  if (args.includes('-') && terminal.typed) throw usage('Standard input is a terminal; pipe the bytes in, or name a file.');
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
      bytes += (await stat(source.path)).size;
    }
    display.expect(files, bytes);
  };
  // Only the display misses something then; the uploads meet the same file and report it.
  count().catch(() => undefined);
}

function sayHowToContinue({ terminal, args }: CommandContext, report: PutReport): void {
  const what = args.includes('-')
    ? 'Standard input has to be sent again from its start.'
    : 'Run the same command again to continue where it stopped.';
  terminal.note(`${report.storedCount} stored before the interruption. ${what}`);
}
