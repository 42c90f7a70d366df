import type { OrgStore } from '../access/org-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Scope } from '../core/ids.ts';
import type { Node } from '../graviton/node.ts';

/**
 * Whether the catalog is empty although the node holds manifests: the database was lost, or is another one's. Nothing is
 * gone, but whoever runs the server must hear of it before new documents hide it.
 */
export async function looksLost(scope: Scope, catalog: Catalog, node: Node): Promise<boolean> {
  const { items } = await catalog.listDocuments(scope, { limit: 1, after: undefined });
  if (items.length > 0) return false;
  for await (const manifest of node.listManifests()) return manifest !== undefined;
  return false;
}

/** The same of a database that was made just now: no other org, and no document. */
export async function looksNew(scope: Scope, catalog: Catalog, orgs: Pick<OrgStore, 'listOrgs'>, node: Node): Promise<boolean> {
  const { next } = await orgs.listOrgs({ limit: 1, after: undefined });
  return next === undefined && (await looksLost(scope, catalog, node));
}

/** The reverse: the catalog has documents, and the node holds no manifest of any, nor waits for segments that might. */
export async function looksEmptied(
  scope: Scope,
  catalog: Catalog,
  node: Pick<Node, 'health' | 'listManifests'>,
): Promise<boolean> {
  if (node.health().missingSegments !== undefined) return false;
  for await (const _ of node.listManifests()) return false;
  return (await catalog.listDocuments(scope, { limit: 1, after: undefined })).items.length > 0;
}
