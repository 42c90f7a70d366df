import type { Bound, Row, Verdict } from './results.ts';

/** What is promised and aimed at for one figure. */
export interface Goal {
  readonly promise?: Bound;
  readonly aim?: Bound;
}

export interface RatioOptions extends Goal {
  readonly ours: string;
  readonly others: readonly string[];
  readonly pick: 'slowest' | 'fastest';
  readonly subject: string;
}

/**
 * Ours over another's, from the medians; the spread is that of the ratios within each round. Of several others the one
 * that is picked counts: the slower of two ceilings, the better of two settings of a peer. Nothing where a side is missing.
 */
export function ratio(rows: readonly Row[], options: RatioOptions): Verdict[] {
  const ours = rows.find(({ candidate }) => candidate === options.ours);
  const others = rows.filter(({ candidate }) => options.others.includes(candidate));
  if (ours === undefined || others.length === 0) return [];
  const direction = options.pick === 'slowest' ? 1 : -1;
  const other = others.reduce((best, row) => (direction * (row.median - best.median) < 0 ? row : best));
  const each = ours.samples.map((sample, round) => sample / (other.samples[round] ?? Number.NaN));
  return [
    {
      subject: `${options.subject} (${other.candidate})`,
      value: ours.median / other.median,
      min: Math.min(...each),
      max: Math.max(...each),
      unit: '×',
      ...(options.promise === undefined ? {} : { promise: options.promise }),
      ...(options.aim === undefined ? {} : { aim: options.aim }),
    },
  ];
}

/** One row's figure by itself. */
export function figureOf(
  rows: readonly Row[],
  name: string,
  { unit, ...goal }: Goal & { readonly unit: Verdict['unit'] },
): Verdict[] {
  return rows
    .filter(({ candidate }) => candidate === name)
    .map(({ median, min, max }) => ({ subject: name, value: median, min, max, unit, ...goal }));
}

/** Goals against MinIO, with the MD5 that it makes of every upload and without. */
export interface MinioGoals {
  readonly minio?: Goal;
  readonly minioWithoutMd5?: Goal;
}

const isMinio = ({ candidate }: Row) => candidate.startsWith('MinIO');
const hasNoMd5 = ({ candidate }: Row) => candidate.includes('--no-compat');

/**
 * Against every peer of the table but nginx as a reader, which scenarios judge themselves. The first is the one that
 * counts: the better of MinIO's settings that do the same for an upload. What a peer leaves out before it answers is said
 * beside its name, and nothing is promised against one that syncs nothing: it does something else.
 */
export function peerVerdicts(rows: readonly Row[], ours: string, { minio, minioWithoutMd5 }: MinioGoals = {}): Verdict[] {
  const peers = rows.filter(({ role, candidate }) => role === 'peer' && !candidate.startsWith('nginx, sendfile'));
  const like = peers.filter((row) => isMinio(row) && !hasNoMd5(row));
  const faster = peers.filter((row) => isMinio(row) && hasNoMd5(row));
  const others = peers.filter((row) => !isMinio(row));
  return [
    ...against(rows, ours, { others: like, subject: 'of MinIO', goal: minio }),
    ...against(rows, ours, { others: faster, subject: 'of MinIO without MD5', goal: minioWithoutMd5 }),
    ...others.flatMap((row) => against(rows, ours, { others: [row], subject: subjectOf(row), goal: undefined })),
  ];
}

function against(
  rows: readonly Row[],
  ours: string,
  { others, subject, goal = {} }: { readonly others: readonly Row[]; readonly subject: string; readonly goal: Goal | undefined },
): Verdict[] {
  return ratio(rows, { ours, others: others.map(({ candidate }) => candidate), pick: 'fastest', subject, ...goal });
}

function subjectOf({ durability }: Row): string {
  return durability === undefined || durability.durable ? 'of a peer' : `of a peer with ${durability.words}`;
}
