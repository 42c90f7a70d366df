import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runChild } from './children.ts';

/** A built clone of an earlier version, measured beside this one. */
export interface EarlierBuild {
  /** Its `quasar`. */
  readonly program: string;
  /** As it stands in tables. */
  readonly name: string;
}

/** Throws when nothing was built there. */
export async function findEarlierBuild(folder: string): Promise<EarlierBuild> {
  const program = join(resolve(folder), 'dist', 'src', 'main.js');
  if (!existsSync(program)) throw new Error(`${folder} holds no build: ${program} is not there`);
  const commit = await runChild('git', ['-C', folder, 'rev-parse', '--short', 'HEAD']);
  return { program, name: `Quasar before records (${commit.trim()})` };
}
