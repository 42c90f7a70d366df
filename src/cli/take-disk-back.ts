import { isQuasarError, QuasarError } from '../core/errors.ts';
import { acceptDisk } from '../graviton/accept-disk.ts';
import type { CommandContext } from './command.ts';
import { fileFault } from './file-fault.ts';
import { usage } from './flags.ts';
import { nodeDirectory, noNodeIn } from './segment-store.ts';
import { printable } from './terminal.ts';

/** `quasar graviton accept-disk`. */
export async function takeDiskBack({ flags, terminal, clock }: CommandContext): Promise<number> {
  const reason = flags.text('reason')?.trim() ?? '';
  if (reason === '') throw usage('--reason is missing; say who accepts the disk, and why it is good again.');
  const data = flags.text('data') as string;
  const directory = nodeDirectory(data);
  const was = await accept(() => acceptDisk({ directory, clock, reason }), { data, directory });
  if (flags.switch('json')) await terminal.printJson({ accepted: was !== undefined, readOnlyReason: was ?? null });
  else if (was === undefined) await terminal.print('The node takes writes already; nothing was changed.');
  else {
    await terminal.print(`The disk is accepted; the next start writes again. The node was read-only: ${printable(was)}`);
  }
  return 0;
}

async function accept(
  work: () => Promise<string | undefined>,
  { data, directory }: { data: string; directory: string },
): Promise<string | undefined> {
  try {
    return await work();
  } catch (cause) {
    if (isQuasarError(cause, 'storage_incompatible')) throw noNodeIn(data, cause);
    if (!isQuasarError(cause, 'storage_in_use'))
      throw fileFault(cause, 'written', (cause as NodeJS.ErrnoException).path ?? directory);
    throw new QuasarError('storage_in_use', {
      op: 'cli.acceptDisk',
      message: `A server is using ${data}. Stop it, accept the disk, then start it again.`,
      cause,
    });
  }
}
