import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { ReadOnlyNode } from '../graviton/read-only-node.ts';
import type { CommandContext } from './command.ts';
import { fileFault } from './file-fault.ts';
import { printable, type Terminal } from './terminal.ts';

/** Opens the node of `--data` read-only, runs the work, closes the node. */
export async function withSegments<T>(context: CommandContext, work: (node: ReadOnlyNode) => Promise<T>): Promise<T> {
  const data = context.flags.text('data') as string;
  const node = await openNode(nodeDirectory(data), data);
  try {
    return await work(node);
  } finally {
    await node.close();
  }
}

/** For commands that go on with what there is. */
export function noteProblems(node: ReadOnlyNode, terminal: Terminal): void {
  for (const problem of node.problems) terminal.note(`quasar: ${printable(problem)}`);
}

/** A version chosen as the newest may not be it: say so. */
export function noteUnreadable(count: number, terminal: Terminal): void {
  if (count > 0) terminal.note(`quasar: ${count} manifests cannot be read; a newer version may be among them.`);
}

/** A data folder has its node in `node/`; the node's own folder, rescued alone, will do too. */
export function nodeDirectory(data: string): string {
  const inside = join(data, 'node');
  return !existsSync(inside) && existsSync(join(data, 'NODE')) ? data : inside;
}

async function openNode(directory: string, data: string): Promise<ReadOnlyNode> {
  try {
    return await ReadOnlyNode.open({ directory });
  } catch (cause) {
    if (isQuasarError(cause, 'storage_incompatible')) throw noNodeIn(data, cause);
    throw fileFault(cause, 'read', (cause as NodeJS.ErrnoException).path ?? directory);
  }
}

export function noNodeIn(data: string, cause: unknown): QuasarError {
  return new QuasarError('file_unreadable', {
    op: 'cli.openSegments',
    message: `${data} holds no storage node; --data names the folder that "quasar up" was started with.`,
    cause,
  });
}
