import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { freePort, remember, stopChild } from './children.ts';
import { type FileState, nativePath } from './native-programs.ts';
import type { Stage } from './stage.ts';

/** The native program that receives, hashes and writes as an upload does: the other ceiling beside the disk's. */
export interface NativeReceiver {
  readonly port: number;
  readonly pid: number;
}

/** Takes `requests` uploads of up to `size` bytes and ends; the stage's closer ends it before. */
export async function openNativeReceiver(
  stage: Stage,
  { state, size, requests }: { readonly state: FileState; readonly size: number; readonly requests: number },
): Promise<NativeReceiver> {
  const port = await freePort();
  const file = stage.workspace.fresh('receive-hash-write');
  const args = [String(port), file, state, String(size), String(requests)];
  const child = spawn(nativePath('receive-hash-write'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  remember(child);
  stage.closer.push('receive-hash-write', async () => {
    await stopChild(child);
    rmSync(file, { force: true });
  });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('receive-hash-write ended before it was ready'))),
  ]);
  return { port, pid: child.pid as number };
}
