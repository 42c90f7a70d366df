import { createHash } from 'node:crypto';
import { type Blake3State, blake3Hasher } from '../core/blake3.ts';
import { type BlockId, blake3Of } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { ManifestRootPage } from '../core/manifest-root.ts';
import { findGaps, type Gap } from './blob-gaps.ts';
import type { CommandContext } from './command.ts';
import { findRoot } from './find-root.ts';
import { rootView } from './list-segments.ts';
import { ProgressDisplay } from './progress-display.ts';
import { noteUnreadable, withSegments } from './segment-store.ts';
import { type BlockSource, readVerified } from './stored-blob.ts';
import { formatBytes } from './units.ts';
import { VerifyReport } from './verify-report.ts';

/** `quasar verify KEY`: every block of one blob, then the digests of the whole. */
export async function verifyBlob(context: CommandContext, target: string): Promise<number> {
  const { flags, terminal, clock } = context;
  const display = new ProgressDisplay(terminal, clock);
  const report = new VerifyReport(terminal, display, flags.switch('json'));
  try {
    return await withSegments(context, async (node) => {
      const { root, unreadable } = await findRoot(node, { target, version: flags.text('version'), org: flags.text('org') });
      noteUnreadable(unreadable, terminal);
      const gaps = await checkBlocks(node, root, { context, display });
      const name = root.filename ?? root.blob;
      if (gaps.length > 0) await report.blob(root, gaps);
      const line =
        gaps.length === 0
          ? `${name} is whole: ${formatBytes(root.size)}, ${root.blob}, SHA-256 ${root.sha256}.`
          : `DAMAGE: ${name} is not whole.`;
      await report.summary({ healthy: gaps.length === 0, ...rootView(root) }, line);
      return gaps.length === 0 ? 0 : 6;
    });
  } finally {
    display.close();
  }
}

async function checkBlocks(
  source: BlockSource,
  root: ManifestRootPage,
  { context, display }: { context: CommandContext; display: ProgressDisplay },
): Promise<Gap[]> {
  const memory = Buffer.allocUnsafeSlow(limits.blockSizeMax);
  const blake3 = blake3Hasher();
  const sha256 = createHash('sha256');
  const transfer = display.begin(root.filename ?? root.blob, root.size);
  let done = 0;
  const gaps = await findGaps(source, root, async (id: BlockId, size: number) => {
    context.signal.throwIfAborted();
    done += size;
    transfer.reach(done);
    try {
      const bytes = await readVerified(source, id, memory);
      if (bytes.byteLength !== size) return `block ${id} has another size than the manifest says`;
      blake3.update(bytes);
      sha256.update(bytes);
      return undefined;
    } catch (error) {
      if (error instanceof QuasarError && error.kind === 'corrupt') return error.message;
      throw error;
    }
  });
  transfer.end();
  if (gaps.length > 0 || isTheBlob(root, blake3, sha256.digest('hex'))) return gaps;
  return [{ start: 0, end: root.size, reason: 'its blocks are whole, but together they do not have its digests' }];
}

function isTheBlob(root: ManifestRootPage, blake3: Blake3State, sha256: string): boolean {
  return blake3.digest().toString('hex') === blake3Of(root.blob) && sha256 === root.sha256;
}
