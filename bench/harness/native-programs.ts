import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runChild, runForJson } from './children.ts';
import type { Requests } from './file-store.ts';
import { repository } from './workspace.ts';

const FOLDER = join(repository, 'native-bench');

export type NativeProgram = 'crowd' | 'disk-write' | 'fetch-bytes' | 'null-server' | 'receive-hash-write' | 'send-bytes';
const needed: readonly NativeProgram[] = ['crowd', 'disk-write', 'fetch-bytes', 'null-server', 'send-bytes'];

/** What did not go as asked, by kind; `failures` is the sum of them all. */
export interface Failures {
  readonly failures: number;
  /** Answers other than 2xx, by code: `{"503": 2}`. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Connections that could not be made. */
  readonly refused: number;
  /** Connections that ended, or stood still for a minute, in the middle of a request. */
  readonly broken: number;
  /** Answers that are no HTTP, or hold another number of bytes than was asked for. */
  readonly malformed: number;
  /** Requests that were not sent any more, because a connection failed over and over. */
  readonly unsent: number;
}

/** Requests, bytes and latencies are those of requests answered with 2xx; with none of them the latencies are 0. */
export interface TransferResult extends Failures {
  readonly requests: number;
  readonly bytes: number;
  readonly connections: number;
  readonly seconds: number;
  readonly mbPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** User and system time of the client, without what it prepared. */
  readonly cpuSeconds: number;
}

/**
 * Builds what is missing or old with make and cc. The ceiling that hashes needs a Debian package's sources; without them
 * the benches go on without that row.
 */
export async function buildNativePrograms(): Promise<{ readonly canHash: boolean }> {
  await runChild('make', ['-s', '-C', FOLDER, ...needed.map((name) => `build/${name}`)]);
  await runChild('make', ['-s', '-C', FOLDER, 'build/receive-hash-write']).catch(() => undefined);
  return { canHash: existsSync(nativePath('receive-hash-write')) };
}

export function nativePath(name: NativeProgram): string {
  return join(FOLDER, 'build', name);
}

export interface SendLoad {
  readonly port: number;
  /** As many paths as there will be requests, or one with %d. */
  readonly requests: Requests;
  /** Bytes in each request. */
  readonly size: number;
  readonly connections: number;
  /** Requests on each connection. */
  readonly repeat: number;
  /** Whether every request sends other bytes; it does by default. */
  readonly distinct?: boolean;
  /** Two runs with one seed send the same bytes; without one no two runs do. */
  readonly seed?: number;
}

export function sendRequests({
  port,
  requests,
  size,
  connections,
  repeat,
  distinct = true,
  seed,
}: SendLoad): Promise<TransferResult> {
  const { options, path, input } = toArguments(requests);
  return runForJson(
    nativePath('send-bytes'),
    [
      ...options,
      ...(seed === undefined ? [] : ['-s', String(seed)]),
      ...[port, requests.method, path, size, connections, repeat, distinct ? 1 : 0].map(String),
    ],
    input,
  );
}

export type FetchLoad = {
  readonly port: number;
  readonly requests: Requests;
  readonly connections: number;
  /** At random multiples of `size` below `span`, instead of all of it; in bytes. */
  readonly range?: { readonly size: number; readonly span: number };
} & (
  | {
      /** Requests on each connection. A list whose length is `connections` times this is read once, no path twice. */
      readonly repeat: number;
    }
  | {
      /** Requests begin until then; not with a path that holds %d. */
      readonly seconds: number;
    }
);

export function fetchRequests(load: FetchLoad): Promise<TransferResult> {
  const { port, requests, connections, range } = load;
  const { options, path, input } = toArguments(requests);
  const until = 'seconds' in load ? `${load.seconds}s` : String(load.repeat);
  const ranges = range === undefined ? [] : [range.size, range.span];
  return runForJson(nativePath('fetch-bytes'), [...options, ...[port, path, connections, until, ...ranges].map(String)], input);
}

export type FileState = 'fresh' | 'written';

export interface DiskWriteOptions {
  readonly file: string;
  readonly state: FileState;
  readonly size: number;
  /** Bytes between two fdatasyncs; the program's default is that of the segment writer. */
  readonly batch?: number;
}

export function diskWrite({
  file,
  state,
  size,
  batch,
}: DiskWriteOptions): Promise<{ readonly bytes: number; readonly seconds: number }> {
  return runForJson(nativePath('disk-write'), [file, state, String(size), ...(batch === undefined ? [] : [String(batch)])]);
}

export interface CrowdLoad {
  readonly port: number;
  /** One a client: uploads as they stand here, downloads in turn. */
  readonly requests: Requests;
  readonly clients: number;
  /** Bytes a client moves. */
  readonly size: number;
  /** Bytes a second for each client; 0 for as fast as it goes. */
  readonly rate: number;
}

export interface CrowdResult extends Failures {
  /** Of clients that succeeded. */
  readonly bytes: number;
  readonly seconds: number;
  readonly mbPerSecond: number;
  readonly cpuSeconds: number;
}

export function runCrowd({ port, requests, clients, size, rate }: CrowdLoad): Promise<CrowdResult> {
  const { options, path, input } = toArguments(requests);
  return runForJson(nativePath('crowd'), [...options, ...[port, requests.method, clients, size, rate, path].map(String)], input);
}

/** What the three clients take alike. */
function toArguments({ paths, headers }: Requests): {
  readonly options: string[];
  readonly path: string;
  readonly input: string;
} {
  const options = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  return typeof paths === 'string' ? { options, path: paths, input: '' } : { options, path: '-', input: `${paths.join('\n')}\n` };
}
