import { limits } from '../core/limits.ts';

/** Long enough for trace ids and UUIDs; nothing that could break a log line or a header. */
const REQUEST_ID = new RegExp(`^[A-Za-z0-9._~:/+=@-]{1,${limits.requestIdMax}}$`);

/** The client's own id when it is well-formed; undefined asks for one of ours. */
export function clientRequestId(text: string | undefined): string | undefined {
  return text !== undefined && REQUEST_ID.test(text) ? text : undefined;
}
