import type { FileServer } from './file-servers.ts';
import { type FetchLoad, fetchRequests, type TransferResult } from './native-programs.ts';
import type { Sample } from './results.ts';
import type { Candidate } from './rounds.ts';

/** Fewer requests than this have no percentiles to speak of. */
const MEANINGFUL = 100;

export type Fetching = FetchLoad extends infer Load ? (Load extends unknown ? Omit<Load, 'port' | 'requests'> : never) : never;

/** Reads from a server in each round, by the native client. */
export function fetchCandidate(
  { name, role, port, pid, requests }: FileServer,
  fetching: Fetching,
  toValue: (result: TransferResult) => number,
): Candidate {
  return {
    name,
    role,
    pid: () => pid,
    run: () => fetchSample({ port, requests, ...fetching }, toValue),
  };
}

/** Fails when nothing was answered with 2xx. */
export async function fetchSample(load: FetchLoad, toValue: (result: TransferResult) => number): Promise<Sample> {
  const result = await fetchRequests(load);
  const { requests, bytes, failures, p50Ms, p99Ms } = result;
  if (requests === 0) throw new Error(`nothing was answered with 2xx: ${JSON.stringify(result.statuses)}`);
  const sample = { value: toValue(result), bytes, failures };
  return requests < MEANINGFUL ? sample : { ...sample, p50Ms, p99Ms };
}
