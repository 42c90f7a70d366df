import type { Answer } from '../drivers/driver.ts';
import type { FaultKind } from '../http/connection-fault.ts';

/** What went wrong with a request, as results name it: `status 503`, or one of these words. */
export type Fault =
  | `status ${number}`
  | Exclude<FaultKind, 'cut'>
  | 'wrong bytes'
  | 'wrong digest'
  | 'wrong size'
  | 'range ignored'
  | 'unreadable answer';

export interface Outcome {
  /** When the answer was whole, on the monotonic clock. */
  readonly endedAt: number;
  /** Undefined when all was well. */
  readonly fault?: Fault;
  /** The connection was cut within the body, as planned. */
  readonly wasCut?: boolean;
  /** What was cut was then sent to its end. */
  readonly wasResumed?: boolean;
  /** Bytes or digest were compared. */
  readonly wasVerified?: boolean;
  /** Of a fault, the beginning of what the server said. */
  readonly explanation?: string;
  /** What takes too long to be part of the measured time: compares on, and says what it finds. */
  readonly check?: () => Promise<Fault | undefined>;
}

export function isSuccess({ status }: Pick<Answer, 'status'>): boolean {
  return status >= 200 && status < 300;
}
