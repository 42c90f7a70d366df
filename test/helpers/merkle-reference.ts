import { createHash } from 'node:crypto';
import { asTreeHash, type TreeHash } from '../../src/audit/merkle-hash.ts';
import { TreeFrontier, type TreeHashes } from '../../src/audit/merkle-tree.ts';

/**
 * RFC 9162 section 2.1 word for word, over the leaves' contents: slow, recursive, and independent of the product's code.
 * Names are those of the RFC.
 */
export type Leaves = readonly Uint8Array[];

function HASH(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

export function MTH(D: Leaves): Buffer {
  if (D.length === 0) return HASH();
  if (D.length === 1) return HASH(Buffer.of(0x00), D[0] as Uint8Array);
  const k = splitOf(D.length);
  return HASH(Buffer.of(0x01), MTH(D.slice(0, k)), MTH(D.slice(k)));
}

export function PATH(m: number, D: Leaves): Buffer[] {
  if (D.length === 1) return [];
  const k = splitOf(D.length);
  return m < k ? [...PATH(m, D.slice(0, k)), MTH(D.slice(k))] : [...PATH(m - k, D.slice(k)), MTH(D.slice(0, k))];
}

export function PROOF(m: number, D: Leaves): Buffer[] {
  return SUBPROOF(m, D, true);
}

function SUBPROOF(m: number, D: Leaves, b: boolean): Buffer[] {
  if (m === D.length) return b ? [] : [MTH(D)];
  const k = splitOf(D.length);
  if (m <= k) return [...SUBPROOF(m, D.slice(0, k), b), MTH(D.slice(k))];
  return [...SUBPROOF(m - k, D.slice(k), false), MTH(D.slice(0, k))];
}

/** The largest power of two smaller than n. */
function splitOf(n: number): number {
  return 2 ** (Math.ceil(Math.log2(n)) - 1);
}

/** Rows (level, index) as a table would keep them; refuses to answer for one that is not there. */
export class MemoryTreeHashes implements TreeHashes {
  readonly rows = new Map<string, TreeHash>();
  readonly frontier = TreeFrontier.empty();
  calls = 0;

  append(leafHash: TreeHash): void {
    this.#insert(0, this.frontier.size, leafHash);
    for (const { level, index, hash } of this.frontier.append(leafHash)) this.#insert(level, index, hash);
  }

  async getSubtrees(subtrees: readonly { level: number; index: number }[]): Promise<readonly TreeHash[]> {
    this.calls += 1;
    return subtrees.map(({ level, index }) => {
      const hash = this.rows.get(`${level}/${index}`);
      if (hash === undefined) throw new Error(`no row ${level}/${index}`);
      return hash;
    });
  }

  #insert(level: number, index: number, hash: TreeHash): void {
    if (this.rows.has(`${level}/${index}`)) throw new Error(`row ${level}/${index} was there`);
    this.rows.set(`${level}/${index}`, asTreeHash(hash) as TreeHash);
  }
}

/** Leaves of certificate transparency's test vectors, and the roots of the trees of the first 0, 1 … 8 of them. */
export const ctLeaves: Leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
export const ctRoots: readonly string[] = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
