import { QuasarError } from '../core/errors.ts';
import { type NodeId, parseId } from '../core/ids.ts';
import type { Queries } from './transaction.ts';

/** Makes this node the one that the blobs lie in, unless there is one; returns which it is. */
export async function bindStoreNode(queries: Queries, nodeId: NodeId): Promise<NodeId> {
  await queries.change('INSERT INTO graviton.store_node (node_id) VALUES ($1) ON CONFLICT (one) DO NOTHING', [nodeId]);
  const now = await findStoreNode(queries);
  if (now === undefined) throw new QuasarError('internal', { op: OP, message: 'The node of the store was not kept.' });
  return now;
}

/** From now on it is this one, whatever the blobs lie in. */
export async function rebindStoreNode(queries: Queries, nodeId: NodeId): Promise<void> {
  await queries.change('UPDATE graviton.store_node SET node_id = $1, bound_at = now()', [nodeId]);
}

/** The node that the blobs of this database lie in; undefined before the first start that noted it. */
export async function findStoreNode(queries: Queries): Promise<NodeId | undefined> {
  const { rows } = await queries.query<{ node_id: string }>('SELECT node_id FROM graviton.store_node');
  return rows[0] === undefined ? undefined : parseId<NodeId>(rows[0].node_id, 'node_id');
}

const OP = 'database.storeNode';
