import type { JsonValue } from './json-value.ts';
import type { MetadataFault } from './metadata-fault.ts';

/** What a validation thread is asked. One at a time. */
export interface ValidationJob {
  readonly hash: string;
  /** Canonical JSON. Sent each time, as it is small; read only when the thread does not hold the compiled schema. */
  readonly schema: string;
  /** Undefined: the schema is compiled and nothing is validated. */
  readonly data: JsonValue | undefined;
}

export type ValidationAnswer =
  /** The thread has loaded what it needs; it says so once, unasked. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'faults'; readonly faults: readonly MetadataFault[] }
  /** Strict mode does not take the schema. */
  | { readonly kind: 'schemaFault'; readonly path: string; readonly message: string }
  /** The stack ran out; the thread goes on. */
  | { readonly kind: 'exhausted' };
