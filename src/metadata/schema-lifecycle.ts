import { QuasarError } from '../core/errors.ts';
import type { SchemaState } from '../core/schema-state.ts';

/** What a writer wants of a schema: to pin a namespace to it, or to change data that is pinned to it already. */
export type SchemaUse = 'pin' | 'patch';

/**
 * Returns the state wanted. Staying is allowed, so that a repeated request is no fault; nothing ever goes back.
 * @throws QuasarError `schema_state`.
 */
export function changeState(from: SchemaState, to: SchemaState): SchemaState {
  if (from === to || NEXT[from].includes(to)) return to;
  throw new QuasarError('schema_state', {
    op: 'metadata.changeState',
    message: `A schema that is ${from} cannot become ${to}.`,
    details: { from, to, allowed: NEXT[from] },
  });
}

/** @throws QuasarError `schema_state`. */
export function requireUsable(state: SchemaState, use: SchemaUse): void {
  if (USES[state].includes(use)) return;
  throw new QuasarError('schema_state', {
    op: 'metadata.requireUsable',
    message:
      use === 'pin'
        ? `No metadata is pinned to a schema that is ${state}.`
        : `Metadata of a schema that is ${state} does not change.`,
    details: { state, use },
  });
}

/** A draft may be given up, and an active schema that proves wrong need not wait. */
const NEXT: Readonly<Record<SchemaState, readonly SchemaState[]>> = {
  draft: ['active', 'revoked'],
  active: ['deprecated', 'revoked'],
  deprecated: ['revoked'],
  revoked: [],
};

const USES: Readonly<Record<SchemaState, readonly SchemaUse[]>> = {
  draft: [],
  active: ['pin', 'patch'],
  deprecated: ['patch'],
  revoked: [],
};
