import { QuasarError } from '../core/errors.ts';
import type { OrgId } from '../core/ids.ts';
import type { Queries } from '../database/transaction.ts';
import { asTreeHash, type TreeHash } from './merkle-hash.ts';
import type { TreeHashes } from './merkle-tree.ts';
import type { Subtree } from './tree-ranges.ts';

const HASHES = `
  SELECT coalesce(l.hash, s.hash) AS hash
    FROM unnest($2::smallint[], $3::bigint[]) WITH ORDINALITY AS wish(level, index, n)
    LEFT JOIN audit.leaf l ON wish.level = 0 AND l.org_id = $1 AND l.leaf = wish.index
    LEFT JOIN audit.subtree s ON wish.level > 0 AND s.org_id = $1 AND s.level = wish.level AND s.index = wish.index
   ORDER BY wish.n`;

/** The hashes of one org's log. The queries run where that org is set. */
export class PostgresTreeHashes implements TreeHashes {
  readonly #queries: Queries;
  readonly #orgId: OrgId;

  constructor(queries: Queries, orgId: OrgId) {
    this.#queries = queries;
    this.#orgId = orgId;
  }

  async getSubtrees(subtrees: readonly Subtree[]): Promise<readonly TreeHash[]> {
    const values = [this.#orgId, subtrees.map(({ level }) => level), subtrees.map(({ index }) => index)];
    const { rows } = await this.#queries.query<{ hash: Buffer | null }>(HASHES, values);
    return rows.map(({ hash }) => treeHashOf(hash));
  }
}

/** @throws QuasarError `corrupt` when there is none. */
export function treeHashOf(stored: Buffer | null): TreeHash {
  const hash = stored === null ? undefined : asTreeHash(stored);
  if (hash !== undefined) return hash;
  throw new QuasarError('corrupt', { op: 'audit.getSubtrees', message: 'The audit log lacks a hash of its tree.' });
}
