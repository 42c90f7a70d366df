import type { Actor } from '../core/actor.ts';

/** Who asks, for the time of one request. */
export interface Caller extends Actor {
  readonly requestId: string;
}
