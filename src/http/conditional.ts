/** The conditional headers of a request; undefined where absent. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export type ConditionOutcome = 'proceed' | 'not_modified' | 'precondition_failed';

/** `*`, or entity tags as they were sent, `W/` included. */
export type EntityTags = '*' | readonly string[];

/**
 * Evaluates conditions against the strong ETag of what would be sent, in the order of RFC 9110 13.2.2. We send no
 * Last-Modified, since times are no validators here, so conditions on dates are ignored, as the RFC demands. A list that
 * cannot be read names no entity tag.
 */
export function evaluateConditions(method: string, { ifMatch, ifNoneMatch }: Conditions, etag: string): ConditionOutcome {
  if (ifMatch !== undefined && !matchesAny(ifMatch, [etag])) return 'precondition_failed';
  if (ifNoneMatch !== undefined && namesWeakly(parseEntityTags(ifNoneMatch) ?? [], [etag])) {
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
  const tags = parseEntityTags(ifMatch);
  return tags === '*' || (tags ?? []).some((tag) => etags.includes(tag));
}

/** The comparison of If-None-Match, for which `W/"a"` and `"a"` are one. */
function namesWeakly(tags: EntityTags, etags: readonly string[]): boolean {
  return tags === '*' || tags.some((tag) => etags.includes(opaqueOf(tag)));
}

/** Without the mark of a weak one. */
export function opaqueOf(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

/** Undefined when the header is neither `*` nor a list of one entity tag or more. */
export function parseEntityTags(header: string): EntityTags | undefined {
  const text = header.trim();
  if (text === '*') return '*';
  const tags: string[] = [];
  let at = 0;
  while (at < text.length) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    if (match === null) return undefined;
    if (match[1] !== undefined) tags.push(match[1]);
    at = ENTRY.lastIndex;
  }
  return tags.length === 0 ? undefined : tags;
}

/** An entity tag or nothing, then a comma or the end. */
const ENTRY = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\u0080-\uffff]*")?[ \t]*(?:,|$)/y;
