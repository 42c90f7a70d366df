import { toTimestamp } from '../core/clock.ts';
import { Fault } from './fault.ts';
import type { Footer } from './footer.ts';
import { SUPERBLOCK } from './format.ts';
import type { SegmentFile } from './segment-files.ts';
import { readFooter, readSuperblock } from './segment-reader.ts';
import { type DamagedRange, type ScanEnd, type ScannedBatch, type ScannedRecord, scanSegment } from './segment-scan.ts';
import { type Superblock, segmentMark } from './superblock.ts';

export interface InspectOptions {
  /** Re-hash every payload: slower, and the only way to see changed content. */
  readonly verifyPayloads: boolean;
  /** List single records, not only batches. */
  readonly records: boolean;
}

export interface Problem {
  readonly at: number;
  readonly size: number;
  /** What is wrong, as a sentence. */
  readonly meaning: string;
  /** What an operator can do, as a sentence. */
  readonly advice: string;
}

export interface Inspection {
  /** False when acknowledged bytes are damaged or the file cannot be told. A torn tail is no damage. */
  readonly healthy: boolean;
  /** For a terminal. */
  readonly lines: readonly string[];
  /** The same as data, for `--json`. */
  readonly report: InspectionReport;
}

export interface InspectionReport {
  readonly file: string;
  readonly fileSize: number;
  readonly state: 'sealed' | 'open' | 'torn' | 'sealing' | 'unreadable';
  readonly healthy: boolean;
  readonly superblock: Readonly<Record<string, unknown>> | undefined;
  readonly batches: readonly Readonly<Record<string, unknown>>[];
  readonly footer: Readonly<Record<string, unknown>> | undefined;
  readonly problems: readonly Problem[];
}

/** Describes a segment file of any kind. What the bytes are never makes it throw. @throws the file's read errors. */
export async function inspectSegment(file: SegmentFile, options: InspectOptions): Promise<Inspection> {
  const fileSize = await file.size();
  const superblock = await readSuperblock(file);
  if (superblock instanceof Fault) return unreadable(file.path, fileSize, superblock);
  const footer = await readFooter(file, segmentMark(superblock));
  const batches: ScannedBatch[] = [];
  let end: ScanEnd | undefined;
  const limit = footer instanceof Fault ? {} : { end: footer.at, durableEnd: footer.at };
  for await (const event of scanSegment(file, { superblock, verifyPayloads: options.verifyPayloads, ...limit })) {
    if (event.type === 'end') end = event;
    else batches.push(event);
  }
  return describe({ path: file.path, fileSize, superblock, footer, batches, end: end as ScanEnd }, options);
}

interface Findings {
  readonly path: string;
  readonly fileSize: number;
  readonly superblock: Superblock;
  readonly footer: Footer | Fault;
  readonly batches: readonly ScannedBatch[];
  readonly end: ScanEnd;
}

function describe(findings: Findings, options: InspectOptions): Inspection {
  const { path, fileSize, superblock, footer, batches, end } = findings;
  const damage = [...batches.flatMap((batch) => batch.damage.map(damageProblem)), ...footerProblems(findings)];
  const problems = [...damage, ...tailProblems(end)];
  const healthy = damage.length === 0;
  const report: InspectionReport = {
    file: path,
    fileSize,
    state: stateOf(footer, end),
    healthy,
    superblock: superblockReport(superblock),
    batches: batches.map((batch) => batchReport(batch, options.records)),
    footer: footer instanceof Fault ? undefined : { at: footer.at, ...footer.summary },
    problems,
  };
  return {
    healthy,
    lines: [
      ...headLines(findings),
      ...batches.flatMap((batch) => batchLines(batch, options.records)),
      ...endLines(report, findings),
    ],
    report,
  };
}

function stateOf(footer: Footer | Fault, end: ScanEnd): InspectionReport['state'] {
  if (!(footer instanceof Fault)) return 'sealed';
  if (end.state === 'torn') return 'torn';
  return end.state === 'footer' ? 'sealing' : 'open';
}

function damageProblem({ at, size, meaning, record }: DamagedRange): Problem {
  if (record !== undefined) {
    return {
      at,
      size,
      meaning: `The content of ${record.header.kind} record ${record.header.id} changed after it was acknowledged: ${meaning}.`,
      advice: 'The other records are not affected. Storing the same content again heals it; keep this file, and check the disk.',
    };
  }
  return {
    at,
    size,
    meaning: `Acknowledged bytes are damaged: ${meaning}.`,
    advice:
      'Records that lay here are lost in this file; `quasar verify` names the documents. Store them again or restore them from a copy; keep this file, and check the disk.',
  };
}

function tailProblems(end: ScanEnd): Problem[] {
  if (end.state === 'torn') {
    return [
      {
        at: end.at,
        size: end.tailSize,
        meaning: `A batch without commit frame: being written right now, or cut off by a crash before it was acknowledged. Whole records in it: ${end.salvage.length}.`,
        advice:
          'Nothing acknowledged is lost. After a crash the next start moves these bytes to quarantine and stores whole records again.',
      },
    ];
  }
  if (end.state !== 'footer') return [];
  return [
    {
      at: end.at,
      size: 0,
      meaning: 'The segment is being sealed right now, or a crash interrupted that.',
      advice: 'Nothing is lost. After a crash the next start writes the footer again.',
    },
  ];
}

function footerProblems({ footer, end, batches, fileSize }: Findings): Problem[] {
  if (footer instanceof Fault) return [];
  const place = { at: footer.at, size: fileSize - footer.at };
  const advice = 'The records count, not the footer: delete the index, and the next start rebuilds it from a scan.';
  const problems: Problem[] = [];
  const whole = batches.every((batch) => batch.damage.length === 0);
  if (whole && footer.summary.root !== end.runningHash) {
    problems.push({ ...place, meaning: "The footer's root is not the running hash of the last batch.", advice });
  }
  const listed = new Set(Array.from(footer.entries(), (entry) => entry.offset));
  const missing = batches.flatMap((batch) => batch.records).filter((record) => !listed.has(record.offset)).length;
  if (missing > 0) problems.push({ ...place, meaning: `The footer does not list ${missing} of the records.`, advice });
  return problems;
}

function unreadable(path: string, fileSize: number, fault: Fault): Inspection {
  const problem = {
    at: 0,
    size: Math.min(fileSize, SUPERBLOCK.size),
    meaning: `The superblock cannot be used: ${fault.meaning}.`,
    advice: 'Without its salt, records cannot be told from content. Restore the file from a copy; until then keep it as it is.',
  };
  const lines = [`${path}: ${number(fileSize)} bytes`, 'superblock   unusable', ...problemLines([problem])];
  const report = {
    file: path,
    fileSize,
    state: 'unreadable',
    healthy: false,
    superblock: undefined,
    batches: [],
    footer: undefined,
    problems: [problem],
  } as const;
  return { healthy: false, lines, report };
}

function headLines({ path, fileSize, superblock }: Findings): string[] {
  return [
    `${path}: ${number(fileSize)} bytes`,
    `superblock   segment ${superblock.segment}, format version 1, BLAKE3-256, salt ${saltOf(superblock)}`,
    `             node ${superblock.nodeId}, created ${toTimestamp(superblock.createdMs)}, meant for ${number(superblock.segmentSize)} bytes`,
  ];
}

function batchLines(batch: ScannedBatch, withRecords: boolean): string[] {
  const frame =
    batch.frameAt === undefined
      ? 'commit frame lost'
      : `commit frame at ${number(batch.frameAt)}, running hash ${batch.runningHash?.slice(0, 16)}…`;
  const marks = batch.damage.length === 0 ? '' : `, ${batch.damage.length} damaged`;
  const head = `batch ${String(batch.batch).padEnd(6)} ${range(batch.at, batch.end)}: ${plural(batch.records.length, 'record')}${marks}, ${frame}`;
  return withRecords ? [head, ...batch.records.map(recordLine)] : [head];
}

function recordLine({ offset, header }: ScannedRecord): string {
  return `  ${header.kind.padEnd(10)} ${number(offset)}: ${number(header.storedSize)} bytes, sequence ${header.sequence}, ${header.id}`;
}

function endLines(report: InspectionReport, { footer, fileSize }: Findings): string[] {
  const described = footer instanceof Fault ? [`footer       none: ${footer.meaning}`] : footerLines(footer, fileSize);
  const verdict = report.healthy
    ? `healthy      ${STATES[report.state]}`
    : `DAMAGED      ${plural(report.problems.length, 'problem')}`;
  return [...described, verdict, ...problemLines(report.problems)];
}

const STATES: Record<InspectionReport['state'], string> = {
  sealed: 'sealed, will not be written again',
  open: 'not sealed: in use, or left open by a stop that was not clean',
  torn: 'not sealed, with an unacknowledged tail',
  sealing: 'not sealed: sealing has begun',
  unreadable: 'unreadable',
};

function footerLines({ at, summary }: Footer, fileSize: number): string[] {
  return [
    `footer       ${range(at, fileSize)}: ${plural(summary.count, 'record')} in ${number(summary.recordBytes)} bytes, root ${summary.root}`,
  ];
}

function problemLines(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ at, size, meaning, advice }) => [`- bytes ${range(at, at + size)}: ${meaning}`, `  ${advice}`]);
}

function superblockReport(superblock: Superblock): Record<string, unknown> {
  const { segment, nodeId, createdMs, segmentSize } = superblock;
  return {
    segment,
    version: 1,
    hash: 'blake3-256',
    salt: saltOf(superblock),
    nodeId,
    created: toTimestamp(createdMs),
    segmentSize,
  };
}

function batchReport(batch: ScannedBatch, withRecords: boolean): Record<string, unknown> {
  const { at, end, frameAt, runningHash } = batch;
  const records = batch.records.map(({ offset, header }) => ({ offset, ...header }));
  return {
    batch: batch.batch,
    at,
    end,
    frameAt,
    runningHash,
    count: records.length,
    damaged: batch.damage.length,
    ...(withRecords ? { records } : {}),
  };
}

function saltOf({ salt }: Superblock): string {
  return salt.toString(16).padStart(16, '0');
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function range(at: number, end: number): string {
  return `${number(at)}–${number(end)}`;
}
