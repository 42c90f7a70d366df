import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../disk/durable-folder.ts';
import { clusterArgument, spawnInCluster, startFault } from './server-process.ts';
import type { ServerUser } from './server-user.ts';

export const SUPERUSER = 'postgres';

export interface ClusterPlan {
  readonly initdb: string;
  readonly clusterDirectory: string;
  /** A folder the server's user can enter; the password passes through it. */
  readonly socketDirectory: string;
  readonly password: string;
  readonly user: ServerUser | undefined;
}

/**
 * Makes the cluster beside its place and moves it there when it is whole and on disk, so that a run killed in between
 * starts over instead of finding half of one.
 */
export async function initCluster(plan: ClusterPlan): Promise<void> {
  const unfinished = `${plan.clusterDirectory}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const passwordFile = join(plan.socketDirectory, 'password');
  await writeFile(passwordFile, `${plan.password}\n`, { mode: 0o600 });
  if (plan.user !== undefined) {
    await chown(unfinished, plan.user.uid, plan.user.gid);
    await chown(passwordFile, plan.user.uid, plan.user.gid);
  }
  try {
    await runInitdb(plan, unfinished, passwordFile);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await chmod(unfinished, 0o700);
  await rename(unfinished, plan.clusterDirectory);
  await syncFolder(dirname(plan.clusterDirectory));
}

/** initdb syncs what it wrote. The built-in locale sorts alike on every machine, whatever its C library. */
async function runInitdb(plan: ClusterPlan, directory: string, passwordFile: string): Promise<void> {
  const child = spawnInCluster({
    program: plan.initdb,
    args: [
      `--pgdata=${clusterArgument(directory)}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ],
    clusterDirectory: directory,
    user: plan.user,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const fault = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  if (fault === undefined) return;
  throw startFault(`The database could not be made (${fault})`, said.trim().split('\n'));
}
