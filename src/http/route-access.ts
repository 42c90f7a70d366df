import type { Capability } from '../core/capability.ts';

/** Who may use a route, as data: the gate decides by it before the handler runs, and the contract shows it. */
export type RouteAccess =
  /** Everybody, also without credentials. */
  | { readonly kind: 'open' }
  /** Every principal of the org. */
  | { readonly kind: 'member' }
  /** Whoever may do it in the whole org. */
  | { readonly kind: 'org'; readonly capability: Capability }
  /** Whoever may do it to the document or folder in the path. */
  | { readonly kind: 'document' | 'folder'; readonly capability: Capability }
  /** The handler asks the gate itself, once it knows what the request is about. */
  | { readonly kind: 'handler'; readonly capabilities: readonly Capability[] };

export const open: RouteAccess = { kind: 'open' };
export const member: RouteAccess = { kind: 'member' };

export function onOrg(capability: Capability): RouteAccess {
  return { kind: 'org', capability };
}

/** The path names it `{documentId}`. */
export function onDocument(capability: Capability): RouteAccess {
  return { kind: 'document', capability };
}

/** The path names it `{folderId}`. */
export function onFolder(capability: Capability): RouteAccess {
  return { kind: 'folder', capability };
}

export function byHandler(...capabilities: readonly Capability[]): RouteAccess {
  return { kind: 'handler', capabilities };
}
