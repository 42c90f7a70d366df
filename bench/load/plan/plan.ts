import type { DriverName } from '../drivers/driver.ts';
import type { SizeSpread } from './size-spread.ts';

/** What requests are about; a driver knows how its server is asked. */
export const kinds = ['upload', 'download', 'range', 'metadata', 'list'] as const;
export type Kind = (typeof kinds)[number];

export type Mix = readonly { readonly kind: Kind; readonly weight: number }[];

export type Loop =
  /** Each connection sends its next request when it has the answer, and thought about it. */
  | { readonly kind: 'closed'; readonly thinkMs: number }
  /** Requests are due at planned times, whatever became of those before. `rate` is a second, over all workers. */
  | { readonly kind: 'open'; readonly rate: number; readonly arrivals: 'poisson' | 'uniform' };

/** All that a run is decided by, but for secrets; sent to the workers as it stands. */
export interface LoadPlan {
  /** With the path in front of all others, without a slash at its end. */
  readonly url: string;
  readonly driver: DriverName;
  readonly profile: string | undefined;
  readonly mix: Mix;
  readonly size: SizeSpread;
  readonly rangeSize: SizeSpread;
  /** How many are uploaded before, for others to read; 0 when `paths` names them. */
  readonly documents: number;
  readonly paths: readonly string[];
  /** Exponent of the popularity of documents. */
  readonly zipf: number;
  readonly loop: Loop;
  readonly connections: number;
  readonly workers: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Ends the run earlier; counts from the warm-up's end. */
  readonly requests: number | undefined;
  readonly seed: number;
  /** Whether all bodies begin alike. */
  readonly same: boolean;
  readonly slow: { readonly share: number; readonly bytesPerSecond: number } | undefined;
  /** Of requests with a body, the share that is cut off within it. */
  readonly abort: number;
  /** Every n-th body is compared; 0 for none. */
  readonly verify: number;
  /** Nothing moved for so long: the request has failed. */
  readonly timeoutMs: number;
}

export function reads({ mix }: Pick<LoadPlan, 'mix'>): boolean {
  return mix.some(({ kind }) => kind !== 'upload' && kind !== 'list');
}
