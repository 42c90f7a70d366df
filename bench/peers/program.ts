import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { repository } from '../harness/workspace.ts';

/** Where bench/peers/install puts what it builds. */
export const buildFolder = join(repository, 'bench', 'peers', 'build');

export const howToInstall = 'bench/peers/install';

/** Path of a peer's program: the one that was built for the benches before any on the PATH. Undefined without one. */
export function findProgram(name: string): string | undefined {
  const folders = [join(buildFolder, 'bin'), ...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Throws where there is none. */
export function getProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`there is no program ${name}`);
  return path;
}

/** The version that bench/peers/install noted; undefined for programs from elsewhere. */
export function notedVersion(program: string): string | undefined {
  try {
    return readFileSync(`${program}.version`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
