import type { Mix } from './plan.ts';

/** What a profile decides unless flags say otherwise. */
export interface Profile {
  readonly name: string;
  /** For the help. */
  readonly purpose: string;
  readonly mix: Mix;
  readonly size: string;
  readonly rangeSize: string;
  readonly documents: number;
  readonly zipf: number;
}

const whole = { rangeSize: '64KiB', zipf: 0 };

export const profiles: readonly Profile[] = [
  {
    name: 'ingest',
    purpose: 'ingest night: scans come in, a few are looked at',
    mix: [
      { kind: 'upload', weight: 95 },
      { kind: 'download', weight: 5 },
    ],
    size: '50KB..300MB~2MB',
    ...whole,
    documents: 16,
  },
  {
    name: 'reading',
    purpose: 'reading day: viewers turn pages, some documents are asked for by everybody',
    mix: [{ kind: 'range', weight: 100 }],
    size: '1MB..64MB~4MB',
    rangeSize: '64KiB..1MiB',
    documents: 64,
    zipf: 1,
  },
  {
    name: 'clerk',
    purpose: 'clerks: metadata, lists, small files in and out',
    mix: [
      { kind: 'metadata', weight: 60 },
      { kind: 'list', weight: 10 },
      { kind: 'download', weight: 25 },
      { kind: 'upload', weight: 5 },
    ],
    size: '10KB..500KB~60KB',
    rangeSize: '64KiB',
    documents: 200,
    zipf: 1,
  },
  { name: 'upload', purpose: 'uploads alone', mix: [{ kind: 'upload', weight: 100 }], size: '1MB', ...whole, documents: 0 },
  {
    name: 'download',
    purpose: 'whole documents alone',
    mix: [{ kind: 'download', weight: 100 }],
    size: '1MB',
    ...whole,
    documents: 16,
  },
  {
    name: 'range',
    purpose: 'ranges alone',
    mix: [{ kind: 'range', weight: 100 }],
    size: '32MiB',
    ...whole,
    documents: 4,
  },
];
