import { runChild } from './children.ts';

export async function wrkVersion(): Promise<string | undefined> {
  const output = await runChild('sh', ['-c', 'wrk -v 2>&1 || true']);
  return /^wrk (\S+)/.exec(output)?.[1];
}
