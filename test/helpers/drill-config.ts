import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A config folder with these lines in these files, as an operator would write them. */
export function writeConfig(folder: string, files: Readonly<Record<string, readonly string[]>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, lines] of Object.entries(files)) writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  return folder;
}
