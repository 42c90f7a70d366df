import { chmodSync, closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { blake3 } from '../../src/core/blake3.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type BlockId, digestToHex } from '../../src/core/digest.ts';
import { limits } from '../../src/core/limits.ts';
import { LocalNode, type LocalNodeOptions } from '../../src/graviton/local-node.ts';
import type { BlockKind, Node, OutgoingBlock } from '../../src/graviton/node.ts';
import { listSegmentFiles, segmentPath } from '../../src/graviton/node-directory.ts';
import type { MemoryFiles } from './memory-files.ts';
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

/** Turns over one bit of every copy of a block's content in the node's segments, in place, also under a running node. */
export function rotBlock(directory: string, { bytes }: { readonly bytes: Uint8Array }): void {
  for (const name of readdirSync(join(directory, 'seg'))) {
    const path = join(directory, 'seg', name);
    const content = readFileSync(path);
    for (let at = content.indexOf(bytes); at >= 0; at = content.indexOf(bytes, at + 1)) flipByte(path, at);
  }
}

/** The same for a node whose files are in memory. */
export async function rotInMemory(files: MemoryFiles, directory: string, { bytes }: OutgoingBlock): Promise<void> {
  for (const segment of await listSegmentFiles(files, directory)) {
    const content = files.content(segmentPath(directory, segment));
    const at = content.indexOf(bytes);
    if (at >= 0) content[at] = (content[at] as number) ^ 1;
  }
}

/** Turns over the lowest bit of a byte, in place. */
export function flipByte(path: string, at: number): void {
  chmodSync(path, 0o600);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ 1;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** What a look past the caches says: this is what marks damage. */
export async function lookAt(node: Pick<Node, 'readBlockFromDisk'>, { id }: { readonly id: BlockId }): Promise<string> {
  return stateOf({ readBlock: (wanted, target) => node.readBlockFromDisk(wanted, target) }, { id });
}
