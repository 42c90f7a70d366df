import { createHash } from 'node:crypto';
import { blake3Hasher } from '../core/blake3.ts';
import { blobKeyOf } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import type { ManifestRootPage } from '../core/manifest-root.ts';
import { parseByteRange, resolveByteRange } from './byte-range-flag.ts';
import type { CommandContext } from './command.ts';
import { assertOnDisk, type ContentTarget, openTarget, StreamTarget } from './content-target.ts';
import { findRoot } from './find-root.ts';
import { usage } from './flags.ts';
import { rootView } from './list-segments.ts';
import { ProgressDisplay } from './progress-display.ts';
import { noteProblems, noteUnreadable, withSegments } from './segment-store.ts';
import { type BlockSource, readBlob } from './stored-blob.ts';
import { printable } from './terminal.ts';
import { formatBytes } from './units.ts';

/** `quasar get --segments`: neither server nor database is asked, only what the segments say. */
export async function getFromSegments(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const output = flags.text('output');
  const rangeText = flags.text('range');
  const range = rangeText === undefined ? undefined : parseByteRange(rangeText);
  if (flags.has('label') || flags.has('as-of')) throw usage('--label and --as-of need the server; segments know --version.');
  return withSegments(context, async (node) => {
    noteProblems(node, terminal);
    const wish = { target: args[0] as string, version: flags.text('version'), org: flags.text('org') };
    const { root, unreadable } = await findRoot(node, wish);
    noteUnreadable(unreadable, terminal);
    const covered = resolveByteRange(range, root.size);
    if (covered === undefined) throw new QuasarError('range_unsatisfiable', { op: 'cli.get', details: { size: root.size } });
    const target = await openTarget(output, context);
    try {
      await target.begin(undefined);
      await copy({ source: node, root, target, context, ...covered });
      await target.complete();
    } finally {
      await target.close();
    }
    await tell(context, root, target instanceof StreamTarget ? undefined : output, covered.end - covered.start);
    return 0;
  });
}

interface CopyTask {
  readonly source: BlockSource;
  readonly root: ManifestRootPage;
  readonly target: ContentTarget;
  readonly context: CommandContext;
  readonly start: number;
  readonly end: number;
}

async function copy({ source, root, target, context, start, end }: CopyTask): Promise<void> {
  const whole = start === 0 && end === root.size;
  const blake3 = blake3Hasher();
  const sha256 = createHash('sha256');
  const display = new ProgressDisplay(context.terminal, context.clock);
  const transfer = display.begin(root.filename ?? root.blob, end - start);
  let copied = 0;
  try {
    for await (const bytes of readBlob(source, root, start, end)) {
      context.signal.throwIfAborted();
      if (whole) blake3.update(bytes);
      sha256.update(bytes);
      await target.write(bytes);
      copied += bytes.byteLength;
      transfer.reach(copied);
    }
  } finally {
    display.close();
  }
  const read = sha256.digest('hex');
  await assertOnDisk(target, read);
  const right =
    copied === end - start && (!whole || (blobKeyOf(blake3.digest().toString('hex')) === root.blob && read === root.sha256));
  if (right) return;
  const kept = await target.damaged();
  throw new QuasarError('corrupt', {
    op: 'cli.get',
    message: `The blocks are whole, but together they are not the blob they are stored for.${kept}`,
  });
}

async function tell(
  { terminal, flags }: CommandContext,
  root: ManifestRootPage,
  output: string | undefined,
  size: number,
): Promise<void> {
  if (flags.switch('json')) {
    const view = { file: output ?? null, bytes: size, ...rootView(root) };
    if (output === undefined) terminal.note(JSON.stringify(view));
    else await terminal.printJson(view);
  } else if (output !== undefined) {
    terminal.note(`${output}: ${formatBytes(size)} of ${printable(root.filename ?? root.blob)}, SHA-256 ${root.sha256}`);
  }
}
