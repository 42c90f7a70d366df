import { availableParallelism } from 'node:os';

/** Every flag of the command, as the help and the page for users tell it. */
export interface FlagText {
  readonly name: string;
  /** How its value is written; absent for switches. */
  readonly value?: string;
  readonly text: string;
}

export const CLOSED_CONNECTIONS = 16;
export const OPEN_CONNECTIONS = 256;
export const workersDefault = Math.max(1, Math.floor(availableParallelism() / 2));

export const flagTexts: readonly FlagText[] = [
  { name: 'url', value: 'URL', text: 'the server, with the path in front of all others if there is one; for S3 with the bucket' },
  { name: 'driver', value: 'NAME', text: 'quasar, http (PUT and GET), s3 (anonymous) or s3-signed (default: quasar)' },
  {
    name: 'key-file',
    value: 'FILE',
    text: 'a file with an API key or token for "Authorization: Bearer", as data/secrets/admin-key',
  },
  { name: 'header-file', value: 'FILE', text: 'a file of lines "Name: value" that go with every request, for access control' },
  { name: 'profile', value: 'NAME', text: 'what is asked; sets what the next five flags do not' },
  { name: 'mix', value: 'KIND=N,…', text: 'shares of upload, download, range, metadata, list: upload=95,range=5' },
  { name: 'size', value: 'SIZES', text: 'of documents: 100KiB, 64KiB..1MiB, or 50KB..300MB~2MB about a median' },
  { name: 'range-size', value: 'SIZES', text: 'of ranges, in the same way' },
  { name: 'documents', value: 'N', text: 'how many are uploaded before the run, for it to read' },
  { name: 'zipf', value: 'X', text: 'how unequally they are read: 0 all alike, 1 a few often' },
  { name: 'paths', value: 'FILE', text: 'read documents that are there: one path a line, as GET takes it' },
  {
    name: 'connections',
    value: 'N',
    text: `over all workers (default: ${CLOSED_CONNECTIONS}, with --rate at most ${OPEN_CONNECTIONS})`,
  },
  { name: 'think', value: 'TIME', text: 'closed loop: pause of a connection after each answer (default: 0ms)' },
  { name: 'rate', value: 'N', text: 'open loop: requests a second, whatever became of those before' },
  { name: 'arrivals', value: 'NAME', text: 'open loop: poisson or uniform (default: poisson)' },
  { name: 'warm-up', value: 'TIME', text: 'before anything is counted (default: 5s)' },
  { name: 'duration', value: 'TIME', text: 'of what is counted (default: 30s; with --requests as long as they take)' },
  { name: 'requests', value: 'N', text: 'end after so many' },
  { name: 'timeout', value: 'TIME', text: 'a request in which nothing moves for so long has failed (default: 30s)' },
  { name: 'slow', value: 'SHARE:SPEED', text: 'so many of the connections send and read at this speed: 10%:2MB/s' },
  { name: 'abort', value: 'SHARE', text: 'so many of the requests are cut within a body; uploads are then continued: 1%' },
  { name: 'verify', value: 'N', text: 'compare every n-th body read, and digest answered; 1 all, 0 none (default: 10)' },
  { name: 'seed', value: 'N', text: 'decides requests and bytes; the same seed gives the same (default: a new one)' },
  { name: 'same', text: 'all bodies begin alike, for stores that keep equal pieces once' },
  { name: 'workers', value: 'N', text: `processes that make the load (default: half the cores, here ${workersDefault})` },
  { name: 'json', value: 'FILE', text: 'write everything that was measured' },
  { name: 'help', text: 'show this' },
];
