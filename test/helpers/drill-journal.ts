import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './source-files.ts';

const PAGE = join(repository, 'docs', 'drills.md');
/** The newest row comes right below this line. */
const TABLE_HEAD = '|---|---|---|---|---|---|';

export interface DrillEntry {
  readonly name: string;
  readonly seed: number | undefined;
  readonly rounds: string;
  readonly outcome: string;
}

/** Enters what a long round came to in docs/drills.md, with today's date and the commit it ran on. */
export function enterDrill({ name, seed, rounds, outcome }: DrillEntry): void {
  const row = `| ${new Date().toISOString().slice(0, 10)} | ${commit()} | ${name} | ${seed ?? ''} | ${rounds} | ${outcome} |`;
  const page = readFileSync(PAGE, 'utf8');
  if (!page.includes(TABLE_HEAD)) throw new Error(`${PAGE} has no table of drills`);
  writeFileSync(PAGE, page.replace(TABLE_HEAD, `${TABLE_HEAD}\n${row}`));
}

/** Marked when the code was not that of the commit alone. */
function commit(): string {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: repository, encoding: 'utf8' }).stdout.trim();
  const changed = git('status', '--porcelain', '--', 'src', 'migrations', 'package-lock.json') === '' ? '' : ' with changes';
  return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
}
