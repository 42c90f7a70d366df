import type { Clock } from '../core/clock.ts';
import { newId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';

/** Long enough for trace ids and UUIDs; nothing that could break a log line or a header. */
const REQUEST_ID = new RegExp(`^[A-Za-z0-9._~:/+=@-]{1,${limits.requestIdMax}}$`);

/** The client's own id when it is well-formed; undefined asks for one of ours. */
export function clientRequestId(text: string | undefined): string | undefined {
  return text !== undefined && REQUEST_ID.test(text) ? text : undefined;
}

/**
 * Makes ids like `newId`. Those of one millisecond share their random bits and count on from there (RFC 9562 section 6.2),
 * since a busy server makes thirty of them in one.
 */
export function requestIds(clock: Clock): () => string {
  let madeAt = Number.NaN;
  let shared = '';
  let next = 0;
  return () => {
    const now = clock.now();
    if (now !== madeAt || next > COUNT_MAX) {
      madeAt = now;
      shared = newId(clock).slice(0, -COUNT_DIGITS);
      next = COUNT_MIN;
    }
    const id = shared + next;
    next += 1;
    return id;
  };
}

/** Of the count, which is decimal and so hexadecimal too. */
const COUNT_DIGITS = 6;
const COUNT_MIN = 100_000;
const COUNT_MAX = 999_999;
