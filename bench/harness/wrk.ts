import { join } from 'node:path';
import { runChild, runForJson } from './children.ts';
import type { Sample } from './results.ts';
import { repository } from './workspace.ts';

const SCRIPT = join(repository, 'bench', 'harness', 'random-ranges.lua');

export interface RangeLoad {
  readonly port: number;
  readonly path: string;
  readonly rangeSize: number;
  /** Of the file, a multiple of the range. */
  readonly fileSize: number;
  readonly connections: number;
  readonly seconds: number;
}

/** Random ranges for a while from one thread, since the server needs the other core. The value is requests a second. */
export async function requestRanges(load: RangeLoad): Promise<Sample> {
  const { requests, bytes, seconds, p50Ms, p99Ms, failures } = await runForJson<{
    requests: number;
    bytes: number;
    seconds: number;
    p50Ms: number;
    p99Ms: number;
    failures: number;
  }>('wrk', [
    ...['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '-s', SCRIPT, `http://127.0.0.1:${load.port}/`, '--'],
    ...[load.path, String(load.rangeSize), String(load.fileSize)],
  ]);
  return { value: requests / seconds, bytes, p50Ms, p99Ms, failures };
}

export async function wrkVersion(): Promise<string | undefined> {
  const output = await runChild('sh', ['-c', 'wrk -v 2>&1 || true']);
  return /^wrk (\S+)/.exec(output)?.[1];
}
