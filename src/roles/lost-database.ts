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
