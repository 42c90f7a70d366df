import type { Test } from 'tap';
import { blake3 } from '../../src/core/blake3.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type BlockId, digestToHex } from '../../src/core/digest.ts';
import { limits } from '../../src/core/limits.ts';
import { LocalNode, type LocalNodeOptions } from '../../src/graviton/local-node.ts';
import type { BlockKind, Node, OutgoingBlock } from '../../src/graviton/node.ts';
import { patterned, testSlab } from './segment-fixture.ts';

export const smallSegments = 1024 * 1024;

/** A node with small segments, no spares and no free-space floor. Nodes of one test file share a slab: one at a time. */
export function nodeOptions(directory: string, changes: Partial<LocalNodeOptions> = {}): LocalNodeOptions {
  return {
    directory,
    slab: testSlab(),
    clock: systemClock,
    segmentSize: smallSegments,
    spareSegments: 0,
    freeSpaceFloor: { ratio: 0, bytes: 0 },
    ...changes,
  };
}

/** Closed when the test is over, if not before. */
export async function openNode(t: Test, directory: string, changes: Partial<LocalNodeOptions> = {}): Promise<LocalNode> {
  const node = await LocalNode.open(nodeOptions(directory, changes));
  t.teardown(() => node.close());
  return node;
}

/** For a process that will be killed. */
export function openForever(directory: string, segmentSize: number): Promise<LocalNode> {
  return LocalNode.open(nodeOptions(directory, { segmentSize }));
}

/** A block whose content depends on seed and size only. */
export function blockOf(seed: number, size = 1000, kind: BlockKind = 'data'): OutgoingBlock {
  const bytes = patterned(size, seed);
  return { kind, id: digestToHex<BlockId>(blake3(bytes)), bytes };
}

export function blocksOf(count: number, { from = 1, size = 1000 }: { from?: number; size?: number } = {}): OutgoingBlock[] {
  return Array.from({ length: count }, (_, index) => blockOf(from + index, size));
}

/** `whole`, `missing`, `wrong bytes`, or the code of the error: what a reader gets to see. */
export async function stateOf(node: Pick<Node, 'readBlock'>, { id }: { readonly id: BlockId }): Promise<string> {
  const target = new Uint8Array(limits.blockSizeMax);
  try {
    const size = await node.readBlock(id, target);
    if (size === undefined) return 'missing';
    return digestToHex(blake3(target.subarray(0, size))) === id ? 'whole' : 'wrong bytes';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** What is not whole, by its place in `blocks`. */
export async function brokenOf(node: Pick<Node, 'readBlock'>, blocks: readonly { readonly id: BlockId }[]): Promise<string[]> {
  const broken: string[] = [];
  for (const [index, block] of blocks.entries()) {
    const state = await stateOf(node, block);
    if (state !== 'whole') broken.push(`${index}: ${state}`);
  }
  return broken;
}

export async function manifestsOf(node: { listManifests(): AsyncIterable<BlockId> }): Promise<string[]> {
  const found: string[] = [];
  for await (const id of node.listManifests()) found.push(id);
  return found.sort();
}
