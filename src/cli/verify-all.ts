import type { BlockId } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { ReadOnlyNode, StoredRecord } from '../graviton/read-only-node.ts';
import { findGaps } from './blob-gaps.ts';
import type { CommandContext } from './command.ts';
import { IdSet } from './id-set.ts';
import { ProgressDisplay } from './progress-display.ts';
import { withSegments } from './segment-store.ts';
import { listRoots, readVerified } from './stored-blob.ts';
import { formatBytes, formatCount, formatDuration } from './units.ts';
import { type RecordFault, VerifyReport } from './verify-report.ts';

/**
 * `quasar verify`: every record is hashed again, then every manifest is walked, so that damage is told in terms of the
 * documents it hits. A damaged record whose block is whole elsewhere has been healed and is no damage any more.
 */
export async function verifyAll(context: CommandContext): Promise<number> {
  const startedMs = context.clock.monotonic();
  const display = new ProgressDisplay(context.terminal, context.clock);
  const report = new VerifyReport(context.terminal, display, context.flags.switch('json'));
  try {
    return await withSegments(context, async (node) => {
      for (const problem of node.problems) await report.problem(problem);
      const records = await hashRecords(node, { context, display, report });
      const blobs = await checkBlobs(node, records, { context, report });
      const healthy =
        records.lost.size === 0 &&
        records.unread.size === 0 &&
        blobs.hurt === 0 &&
        blobs.unreadable === 0 &&
        node.problems.length === 0;
      const ms = context.clock.monotonic() - startedMs;
      await report.summary(summaryView(records, blobs, healthy, ms), summaryLine(records, blobs, healthy, ms));
      return healthy ? 0 : 6;
    });
  } finally {
    display.close();
  }
}

interface Work {
  readonly context: CommandContext;
  readonly report: VerifyReport;
}

interface RecordFindings {
  readonly count: number;
  readonly bytes: number;
  /** Damaged records, also of blocks that are whole elsewhere. */
  readonly damaged: number;
  /** Blocks of which no copy is whole. */
  readonly lost: ReadonlySet<BlockId>;
  /** Blocks of which no copy could be read and found whole: they may be whole. */
  readonly unread: ReadonlySet<BlockId>;
  readonly present: IdSet;
}

async function hashRecords(
  node: ReadOnlyNode,
  { context, display, report }: Work & { display: ProgressDisplay },
): Promise<RecordFindings> {
  const memory = Buffer.allocUnsafeSlow(limits.blockSizeMax);
  const present = new IdSet();
  const suspects = new Set<BlockId>();
  const unread = new Set<BlockId>();
  let count = 0;
  let bytes = 0;
  let damaged = 0;
  const transfer = display.begin('records', context.terminal.interactive ? await totalSize(node) : undefined);
  for await (const record of node.records()) {
    context.signal.throwIfAborted();
    const fault = await faultOf(node, record, memory);
    present.add(record.id);
    count += 1;
    bytes += record.size;
    transfer.reach(bytes);
    if (fault === undefined) continue;
    (fault.unread ? unread : suspects).add(record.id);
    damaged += fault.unread ? 0 : 1;
    await report.record(record, fault);
  }
  transfer.end();
  const lost = new Set<BlockId>();
  for (const id of suspects) if (!unread.has(id) && !(await isWholeSomewhere(node, id, memory))) lost.add(id);
  for (const id of unread) if (await isWholeSomewhere(node, id, memory)) unread.delete(id);
  return { count, bytes, damaged, lost, unread, present };
}

async function totalSize(node: ReadOnlyNode): Promise<number> {
  let size = 0;
  for await (const record of node.records()) size += record.size;
  return size;
}

/** Why a record is not whole, as the server judges it. What could not be read may be whole. */
async function faultOf(node: ReadOnlyNode, record: StoredRecord, memory: Buffer): Promise<RecordFault | undefined> {
  try {
    const verdict = await node.judge(record, memory);
    return verdict.state === 'whole' ? undefined : { meaning: verdict.reason, unread: verdict.state === 'cut' };
  } catch (error) {
    return { meaning: `the disk answers ${(error as NodeJS.ErrnoException).code ?? String(error)}`, unread: true };
  }
}

async function isWholeSomewhere(node: ReadOnlyNode, id: BlockId, memory: Buffer): Promise<boolean> {
  try {
    await readVerified(node, id, memory);
    return true;
  } catch (error) {
    if (error instanceof QuasarError && (error.kind === 'corrupt' || error.kind === 'unavailable')) return false;
    throw error;
  }
}

interface BlobFindings {
  readonly count: number;
  readonly hurt: number;
  readonly unreadable: number;
}

async function checkBlobs(node: ReadOnlyNode, records: RecordFindings, { context, report }: Work): Promise<BlobFindings> {
  const faultOfBlock = (id: BlockId) => {
    if (records.lost.has(id)) return `block ${id} is damaged`;
    if (records.unread.has(id)) return `block ${id} could not be read`;
    return records.present.has(id) ? undefined : `block ${id} is missing`;
  };
  let count = 0;
  let hurt = 0;
  let unreadable = 0;
  for await (const finding of listRoots(node)) {
    context.signal.throwIfAborted();
    if (!('root' in finding)) {
      unreadable += 1;
      await report.manifest(finding.id, finding.fault);
      continue;
    }
    count += 1;
    const gaps = await findGaps(node, finding.root, faultOfBlock);
    if (gaps.length === 0) continue;
    hurt += 1;
    await report.blob(finding.root, gaps);
  }
  return { count, hurt, unreadable };
}

function summaryView(records: RecordFindings, blobs: BlobFindings, healthy: boolean, ms: number): Record<string, unknown> {
  return {
    healthy,
    records: records.count,
    bytes: records.bytes,
    damagedRecords: records.damaged,
    lostBlocks: records.lost.size,
    unreadBlocks: records.unread.size,
    versions: blobs.count,
    damagedVersions: blobs.hurt,
    unreadableManifests: blobs.unreadable,
    ms: Math.round(ms),
  };
}

function summaryLine(records: RecordFindings, blobs: BlobFindings, healthy: boolean, ms: number): string {
  const read = `${formatCount(records.count)} records, ${formatBytes(records.bytes)}, ${formatCount(blobs.count)} versions in ${formatDuration(ms)}`;
  const healed =
    records.damaged > records.lost.size
      ? ` ${formatCount(records.damaged - records.lost.size)} damaged records are whole elsewhere.`
      : '';
  if (healthy) return `All is whole: ${read}.${healed}`;
  const unread =
    records.unread.size > 0 ? ` ${formatCount(records.unread.size)} blocks could not be read; they may be whole.` : '';
  const verdict = records.lost.size + blobs.unreadable === 0 && records.unread.size > 0 ? 'NOT ALL COULD BE READ' : 'DAMAGE';
  return `${verdict}: ${formatCount(records.lost.size)} blocks are lost, ${formatCount(blobs.hurt)} versions are not whole, ${formatCount(blobs.unreadable)} manifests cannot be read. Checked ${read}.${healed}${unread}`;
}
