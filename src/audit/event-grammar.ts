/** How the members of an event are written, as regular expressions over the whole text. docs/format/audit-v1.md section 4. */
export const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const PART_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Name of a role. */
export const DECISION_WORD = /^[a-z][a-z0-9_-]{0,31}$/;
export const REASON = /^[a-z][a-z0-9_.-]{0,63}$/;
