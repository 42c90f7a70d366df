import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort, remember, stopChild } from './children.ts';
import { nativePath } from './native-programs.ts';
import type { Stage } from './stage.ts';

/** The native server that sends or swallows bytes and does nothing else: how fast the client could be at all. */
export interface NullServer {
  readonly port: number;
  readonly pid: number;
}

/** Answers every GET with `size` bytes, or with the range of them that was asked for. The stage's closer stops it. */
export async function openNullServer(stage: Stage, { size }: { readonly size: number }): Promise<NullServer> {
  const port = await freePort();
  const child = spawn(nativePath('null-server'), [String(port), String(size)], { stdio: ['ignore', 'pipe', 'inherit'] });
  remember(child);
  stage.closer.push('null-server', () => stopChild(child));
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('null-server ended before it was ready'))),
  ]);
  return { port, pid: child.pid as number };
}
