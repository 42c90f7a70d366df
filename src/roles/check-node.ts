import { QuasarError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { bindStoreNode, findStoreNode, rebindStoreNode } from '../database/store-node.ts';
import type { Queries } from '../database/transaction.ts';

export interface NodeCheck {
  readonly queries: Queries;
  readonly node: { readonly id: NodeId; readonly directory: string };
  /** Whether the database has documents and the node nothing at all: asked when the database knows no node yet. */
  readonly isEmptied: () => Promise<boolean>;
  /** Whether the node has manifests and the database nothing at all: asked then, too. */
  readonly isLost: () => Promise<boolean>;
  /** The operator knows that the database is empty, and goes on with it. */
  readonly acceptsEmpty: boolean;
  /** The node that the operator accepts instead of the one the database belongs to. */
  readonly accepted: string | undefined;
  readonly log: Log;
}

/**
 * Where the disk of a node is not mounted its folder is empty, and a new node is made there: what is written to it would be
 * out of sight when the disk is back. The database knows its node. The same goes for the disk of the database, which a full
 * node tells from a first start.
 * @throws QuasarError `storage_incompatible` when the node is another one, or the database empty beside a full one, unless
 * that is accepted.
 */
export async function checkNode({ queries, node, isEmptied, isLost, accepted, acceptsEmpty, log }: NodeCheck): Promise<void> {
  const known = await findStoreNode(queries);
  if (known === undefined && !acceptsEmpty && (await isLost())) throw emptyDatabase(node);
  if (known === undefined && accepted !== node.id && (await isEmptied())) throw foreignNode('another', node);
  const bound = known ?? (await bindStoreNode(queries, node.id));
  if (bound === node.id) return;
  if (accepted !== node.id) throw foreignNode(bound, node);
  await rebindStoreNode(queries, node.id);
  log.warn(
    { was: bound, is: node.id },
    'The operator accepted another storage node. What only the earlier one holds is missing.',
  );
}

function emptyDatabase({ directory }: NodeCheck['node']): QuasarError {
  return new QuasarError('storage_incompatible', {
    op: 'database.open',
    message:
      `The database is empty, but the storage node in ${directory} holds documents. Mount the disk of the database, or restore it, and start ` +
      'again ("Lost database" in docs/operations.md). To go on with an empty database: quasar up --accept-empty-database',
  });
}

function foreignNode(bound: NodeId | 'another', { id, directory }: NodeCheck['node']): QuasarError {
  return new QuasarError('storage_incompatible', {
    op: 'graviton.open',
    message:
      `The database belongs to ${bound === 'another' ? 'another storage node' : `storage node ${bound}`}, but ${directory} holds node ${id}. Mount the disk of the first, or put its ` +
      `folder back, and start again. To go on without what it holds: quasar up --accept-node ${id}`,
    details: { expected: bound, found: id },
  });
}
