import { readFileSync } from 'node:fs';
import { jsonFlag } from './client-flags.ts';
import type { Command } from './command.ts';

export const version: Command = {
  name: 'version',
  purpose: 'Print the version of this program and of its runtime.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [jsonFlag],
  examples: [{ line: 'quasar version --json', explanation: 'The same for a program.' }],
  exitCodes: [2],
  async run({ flags, terminal }) {
    const facts = { quasar: packageVersion(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
    if (flags.switch('json')) await terminal.printJson(facts);
    else await terminal.print(`quasar ${facts.quasar} (Node ${facts.node}, ${facts.platform})`);
    return 0;
  },
};

/** From the package this file was built in: the first package.json above it. */
export function packageVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    try {
      const { version: found } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string };
      return found;
    } catch (cause) {
      if (folder.pathname === '/' || (cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    }
  }
}
