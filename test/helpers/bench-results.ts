import type { BenchResults, Role, Row, Table } from '../../bench/harness/results.ts';

/** Made-up results of a small run, for tests of what is written about results. */
export function exampleResults(): BenchResults {
  return {
    machine: { cpu: '2 × Example <CPU> & Co', 'file system': 'ext4' },
    versions: { quasar: '0.1.0', nginx: 'nginx/1.22.1', MinIO: 'not installed' },
    scenarios: [
      {
        name: 'upload-100mb',
        title: 'Upload of 100,000,000 bytes',
        runs: 3,
        measuredAt: '2026-11-21T11:01:11.172Z',
        commit: 'abc1234',
        load: 1.2,
        tables: [uploads],
      },
      {
        name: 'memory',
        title: 'Memory of the process',
        runs: 1,
        measuredAt: '2026-11-21T11:05:11.172Z',
        commit: 'abc1234',
        load: 1.2,
        tables: [memory],
      },
    ],
  };
}

/** A row of these samples. */
export function exampleRow(candidate: string, role: Role, samples: readonly number[], rest: Partial<Row> = {}): Row {
  const sorted = [...samples].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] as number;
  return { candidate, role, samples, median, min: sorted[0] as number, max: sorted.at(-1) as number, failures: 0, ...rest };
}

const synced = { durable: true, words: 'data and names synced' };

const uploads: Table = {
  title: '1 stream, fresh files (a new node)',
  unit: 'MB/s',
  rows: [
    exampleRow('Quasar', 'quasar', [813, 738, 820], { durability: synced, ofNull: 0.271, cpuSecondsPerGb: 1.66 }),
    exampleRow('Quasar, node:http', 'quasar', [636, 586, 668], { durability: synced, ofNull: 0.212, cpuSecondsPerGb: 2.04 }),
    exampleRow('native: receive, hash, write', 'ceiling', [1104, 974, 1340], {
      durability: { durable: true, words: 'data synced' },
    }),
    exampleRow('MinIO, one drive', 'peer', [437, 259, 491], {
      durability: { durable: true, words: 'data and metadata synced, directory not' },
      ofNull: 0.146,
      cpuSecondsPerGb: 2.3,
    }),
    exampleRow('MinIO, one drive, --no-compat, presigned', 'peer', [614, 343, 903], {
      durability: { durable: true, words: 'data and metadata synced, directory not' },
      ofNull: 0.205,
    }),
    exampleRow('nginx <dav> & "PUT"', 'peer', [2556, 530, 2900], {
      durability: { durable: false, words: 'nothing synced' },
      ofNull: 0.852,
    }),
    exampleRow('null server', 'null', [3000, 2900, 3100]),
  ],
  verdicts: [
    {
      subject: 'of the slower ceiling (native: receive, hash, write)',
      value: 0.736,
      min: 0.612,
      max: 0.758,
      unit: '×',
      promise: { atLeast: 0.7 },
      aim: { atLeast: 0.9 },
    },
    {
      subject: 'of MinIO, one drive',
      value: 1.86,
      min: 1.67,
      max: 2.85,
      unit: '×',
      promise: { atLeast: 2 },
      aim: { atLeast: 2.5 },
    },
    {
      subject: 'of MinIO without MD5 (MinIO, one drive, --no-compat, presigned)',
      value: 1.32,
      min: 0.9,
      max: 2.15,
      unit: '×',
      aim: { atLeast: 1.3 },
    },
    { subject: 'of a peer with nothing synced', value: 0.318, unit: '×' },
  ],
  notes: ['A note with <angle brackets>.'],
};

const memory: Table = {
  title: 'peak',
  unit: 'MB',
  rows: [exampleRow('uploads, fast clients', 'quasar', [189]), exampleRow('downloads, fast clients', 'quasar', [262])],
  verdicts: [{ subject: 'uploads, fast clients', value: 189, unit: 'MB', promise: { atMost: 300 }, aim: { atMost: 200 } }],
  notes: [],
};
