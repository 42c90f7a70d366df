import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServerUser } from './server-user.ts';

const READ = 4;
const ENTER = 1;

/** Whether mode bits let `user` read and execute `path` and enter every folder above it. Access lists are not looked at. */
export async function isReachableBy(user: ServerUser, path: string): Promise<boolean> {
  let at = await realpath(path);
  if (!allows(await stat(at), user, READ | ENTER)) return false;
  while (dirname(at) !== at) {
    at = dirname(at);
    if (!allows(await stat(at), user, ENTER)) return false;
  }
  return true;
}

function allows(stats: Stats, user: ServerUser, wanted: number): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & wanted) === wanted;
}
