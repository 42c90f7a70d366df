/** The conditional headers of a request; undefined where absent. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifRange: string | undefined;
}

export type ConditionOutcome = 'proceed' | 'not_modified' | 'precondition_failed';

/**
 * Evaluates conditions against the strong ETag of what would be sent, in the order of RFC 9110 13.2.2. We send no
 * Last-Modified (content never changes under its name), so conditions on dates are ignored, as the RFC allows.
 */
export function evaluateConditions(method: string, conditions: Conditions, etag: string): ConditionOutcome {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined && !matchesAny(ifMatch, [etag])) return 'precondition_failed';
  if (ifNoneMatch !== undefined && listHas(ifNoneMatch, (entry) => opaqueOf(entry) === etag)) {
    return method === 'GET' || method === 'HEAD' ? 'not_modified' : 'precondition_failed';
  }
  return 'proceed';
}

/** Whether Range may be honoured: If-Range must be absent or exactly the strong ETag (a date never is). */
export function rangeApplies(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag;
}

/** Whether If-Match names one of these strong ETags, or any by `*`. */
export function matchesAny(ifMatch: string, etags: readonly string[]): boolean {
  return listHas(ifMatch, (entry) => etags.includes(entry));
}

/** True for `*`, or when an entry of the list passes. A list that cannot be read to its end has no entries. */
function listHas(header: string, passes: (entry: string) => boolean): boolean {
  const text = header.trim();
  if (text === '*') return true;
  let found = false;
  let at = 0;
  while (at < text.length) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    if (match === null) return false;
    if (match[1] !== undefined && passes(match[1])) found = true;
    at = ENTRY.lastIndex;
  }
  return found;
}

function opaqueOf(entry: string): string {
  return entry.startsWith('W/') ? entry.slice(2) : entry;
}

/** An entity tag or nothing, then a comma or the end. */
const ENTRY = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\u0080-\uffff]*")?[ \t]*(?:,|$)/y;
