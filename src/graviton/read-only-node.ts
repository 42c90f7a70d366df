import { join } from 'node:path';
import type { BlockId } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { isDiskError } from '../segment/disk-fault.ts';
import { Fault } from '../segment/fault.ts';
import { NODE_COPY, NODE_COPY_COUNT, nodePaths } from '../segment/format.ts';
import { judgeRecord, type RecordVerdict } from '../segment/judge-record.ts';
import { decodeNodeIdentity, type NodeIdentity } from '../segment/node-identity.ts';
import { diskFiles, readFully, type SegmentFiles } from '../segment/segment-files.ts';
import { decodeManifest } from '../segment/segment-manifest.ts';
import type { BlockKind } from './node.ts';
import { listSegmentFiles } from './node-directory.ts';
import { SegmentFileCache } from './segment-file-cache.ts';
import { SegmentLedger } from './segment-ledger.ts';
import { emptyTable, readSegmentTable, type SegmentTable } from './segment-table.ts';

/** One stored record of content and its place. */
export interface StoredRecord {
  readonly id: BlockId;
  readonly kind: BlockKind;
  readonly segment: number;
  /** Offset of the record's header in its segment. */
  readonly offset: number;
  readonly size: number;
  /** It is already marked damaged. */
  readonly marked: boolean;
}

/**
 * A node's directory as it lies on the disk, read without lock, index or database, and without writing a byte: also
 * beside the process that owns it. It sees what was durable when it was opened. Lookups go through the footers of all
 * segments, which suits commands that rescue and check, not a server.
 */
export class ReadOnlyNode {
  readonly id: NodeId;
  /** What is wrong with the structure, in words, one fact a line: bad footers, damaged ranges, missing files. */
  readonly problems: readonly string[];
  readonly #ledger: SegmentLedger;
  readonly #segmentFiles: SegmentFileCache;
  /** Ascending. */
  readonly #segments: readonly number[];
  readonly #load: (segment: number) => Promise<SegmentTable>;
  /** In order of last use. */
  readonly #tables = new Map<number, SegmentTable>();

  private constructor(found: FoundNode) {
    this.id = found.identity.nodeId;
    this.problems = found.problems;
    this.#ledger = found.ledger;
    this.#segmentFiles = found.segmentFiles;
    this.#segments = found.segments;
    this.#load = found.load;
  }

  /** @throws QuasarError `storage_incompatible` when there is no node, `corrupt` when its NODE file can not be read. */
  static async open({ directory, files = diskFiles }: { directory: string; files?: SegmentFiles }): Promise<ReadOnlyNode> {
    const identity = await readIdentity(files, directory);
    const problems: string[] = [];
    const ledger = await readLedger(files, directory, problems);
    const segments = (await listSegmentFiles(files, directory)).filter((segment) => !ledger.wasDropped(segment));
    for (const { segment } of ledger.segments) {
      if (!segments.includes(segment)) problems.push(`The file of segment ${segment} is missing.`);
    }
    const segmentFiles = new SegmentFileCache({ files, directory, countMax: limits.openSegmentFilesMax });
    const load = (segment: number, report: (line: string) => void): Promise<SegmentTable> =>
      segmentFiles
        .use(segment, (file) => readSegmentTable(file, { segment, known: ledger.find(segment), identity, report }))
        .catch((error: Error) => unreadable(segment, error, report));
    const node = new ReadOnlyNode({
      identity,
      problems,
      ledger,
      segmentFiles,
      segments,
      load: (segment) => load(segment, ignore),
    });
    for (const segment of segments) node.#keep(segment, await load(segment, (line) => problems.push(line)));
    return node;
  }

  /**
   * As `Node.readBlock`, verified; when a block is stored more than once, the newest copy that is whole is taken.
   * `target` holds the largest block.
   * @throws QuasarError `corrupt` when it is there and no copy is whole, `block_unavailable` when a copy could not be read
   * and no other is whole.
   */
  async readBlock(id: BlockId, target: Uint8Array): Promise<number | undefined> {
    const copies = await this.#copiesOf(id);
    let failure: unknown;
    for (const copy of copies) {
      try {
        const verdict = await this.judge(copy, target);
        if (verdict.state === 'whole') return verdict.header.storedSize;
      } catch (error) {
        failure ??= error;
      }
    }
    if (copies.length === 0) return undefined;
    const context = { op: 'graviton.read', details: { block: id }, cause: failure };
    throw new QuasarError(failure === undefined ? 'corrupt' : 'block_unavailable', context);
  }

  /** Judges a record as the server does, and fills `target` with its payload. @throws the file's read errors. */
  async judge({ id, segment, offset, size }: StoredRecord, target: Uint8Array): Promise<RecordVerdict> {
    const { mark } = await this.#tableOf(segment);
    return this.#segmentFiles.use(segment, (file) => judgeRecord(file, id, { mark, offset, size }, target));
  }

  /** Each manifest once, in the order in which they were first stored: the log's own, which no clock can turn about. */
  async *listManifests(): AsyncGenerator<BlockId> {
    const seen = new Set<BlockId>();
    for await (const { id, kind } of this.records()) {
      if (kind !== 'manifest' || seen.has(id)) continue;
      seen.add(id);
      yield id;
    }
  }

  /** Every record of content, in the order in which they lie on the disk. */
  async *records(): AsyncGenerator<StoredRecord> {
    for (const segment of this.#segments) {
      const { records } = await this.#tableOf(segment);
      for (const record of records()) yield this.#describe(segment, record);
    }
  }

  async close(): Promise<void> {
    await this.#segmentFiles.close();
  }

  /** Newest first, healthy before marked. */
  async #copiesOf(id: BlockId): Promise<StoredRecord[]> {
    const copies: (StoredRecord & { readonly sequence: number })[] = [];
    for (const segment of this.#segments) {
      const { find } = await this.#tableOf(segment);
      for (const record of find(id)) copies.push({ ...this.#describe(segment, record), sequence: record.sequence });
    }
    return copies.sort((left, right) => Number(left.marked) - Number(right.marked) || right.sequence - left.sequence);
  }

  #describe(segment: number, { id, kind, offset, size }: Omit<StoredRecord, 'segment' | 'marked'>): StoredRecord {
    return { id, kind, segment, offset, size, marked: this.#ledger.isDamaged(id, { segment, offset }) };
  }

  async #tableOf(segment: number): Promise<SegmentTable> {
    const table = this.#tables.get(segment) ?? (await this.#load(segment));
    this.#keep(segment, table);
    return table;
  }

  #keep(segment: number, table: SegmentTable): void {
    this.#tables.delete(segment);
    this.#tables.set(segment, table);
    const oldest = this.#tables.keys().next().value;
    if (this.#tables.size > limits.segmentTablesMax && oldest !== undefined) this.#tables.delete(oldest);
  }
}

interface FoundNode {
  readonly identity: NodeIdentity;
  readonly problems: readonly string[];
  readonly ledger: SegmentLedger;
  readonly segmentFiles: SegmentFileCache;
  readonly segments: readonly number[];
  readonly load: (segment: number) => Promise<SegmentTable>;
}

const ignore = (): void => undefined;

/** One file that cannot be read hides no other. */
function unreadable(segment: number, error: Error, report: (line: string) => void): SegmentTable {
  if (!isDiskError(error)) throw error;
  report(`Segment ${segment} cannot be read: ${error.message}`);
  return emptyTable(segment);
}

async function readIdentity(files: SegmentFiles, directory: string): Promise<NodeIdentity> {
  const bytes = await readWhole(files, join(directory, nodePaths.identity), NODE_COPY.size * NODE_COPY_COUNT);
  if (bytes === undefined) {
    throw new QuasarError('storage_incompatible', { op: 'graviton.open', message: `There is no storage node in ${directory}.` });
  }
  const decoded = decodeNodeIdentity(bytes);
  if (!(decoded instanceof Fault)) return decoded.identity;
  throw new QuasarError('corrupt', { op: 'graviton.open', message: `${directory}/NODE cannot be used: ${decoded.meaning}.` });
}

/** Entries up to the first bad one: beside a writer the last may be half written, and a damaged MANIFEST hides no segment. */
async function readLedger(files: SegmentFiles, directory: string, problems: string[]): Promise<SegmentLedger> {
  const bytes = await readWhole(files, join(directory, nodePaths.manifest));
  if (bytes === undefined) problems.push('MANIFEST is missing.');
  const content = decodeManifest(bytes ?? Buffer.alloc(0));
  if (content.damaged) problems.push(`MANIFEST is damaged at byte ${content.end}: ${content.fault}.`);
  return SegmentLedger.of(content.entries);
}

async function readWhole(files: SegmentFiles, path: string, sizeMax = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
  try {
    const file = await files.open(path, { access: 'read', direct: false });
    try {
      const bytes = Buffer.alloc(Math.min(await file.size(), sizeMax));
      return bytes.subarray(0, await readFully(file, bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
