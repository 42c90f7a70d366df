import { isQuasarError, QuasarError } from '../core/errors.ts';
import { acceptLoss } from '../graviton/accept-loss.ts';
import type { CommandContext } from './command.ts';
import { fileFault } from './file-fault.ts';
import { usage } from './flags.ts';
import { nodeDirectory, noNodeIn } from './segment-store.ts';

/** `quasar graviton accept-loss`. */
export async function giveUpSegments({ args, flags, terminal, clock }: CommandContext): Promise<number> {
  const reason = flags.text('reason')?.trim() ?? '';
  if (reason === '') throw usage('--reason is missing; say who gives the segments up, and why.');
  const segments = args.map(parseSegment);
  const data = flags.text('data') as string;
  const directory = nodeDirectory(data);
  await explained(() => acceptLoss({ directory, clock, segments, reason }), { data, directory });
  if (flags.switch('json')) await terminal.printJson({ givenUp: segments });
  else await terminal.print(`Given up: ${segments.join(', ')}. The next start works without them.`);
  return 0;
}

function parseSegment(text: string): number {
  const segment = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(segment) && segment > 0) return segment;
  throw usage(`"${text}" is no number of a segment; the log and /v1/ready name those that are missing.`);
}

async function explained(work: () => Promise<void>, { data, directory }: { data: string; directory: string }): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (isQuasarError(cause, 'bad_parameter')) throw usage(cause.message);
    if (isQuasarError(cause, 'storage_incompatible')) throw noNodeIn(data, cause);
    if (!isQuasarError(cause, 'storage_in_use'))
      throw fileFault(cause, 'written', (cause as NodeJS.ErrnoException).path ?? directory);
    throw new QuasarError('storage_in_use', {
      op: 'cli.acceptLoss',
      message: `A server is using ${data}. Stop it, give the segments up, then start it again.`,
      cause,
    });
  }
}
