import { limits } from '../core/limits.ts';
import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';

export const put: Command = {
  name: 'put',
  purpose: 'Store files as documents; continues what an earlier, interrupted run began.',
  usage: 'FILE… | - | -r DIR…',
  arguments: [
    { name: 'FILE', description: 'A file to store; - is standard input.' },
    { name: 'DIR', description: 'With -r: every regular file below it, named by its path from DIR.' },
  ],
  argumentCount: { min: 1, max: Number.MAX_SAFE_INTEGER },
  flags: [
    { name: 'recursive', short: 'r', kind: 'switch', description: 'Take folders, with all that is in them.' },
    {
      name: 'parallel',
      short: 'p',
      kind: 'count',
      value: 'N',
      default: limits.putParallelDefault,
      unit: 'files',
      max: limits.putParallelMax,
      description: `Files sent at the same time; if not given, at most ${limits.putLargeParallelDefault} of over 1 MiB.`,
    },
    { name: 'name', kind: 'text', value: 'NAME', description: 'File name to store with a single file or standard input.' },
    {
      name: 'type',
      kind: 'text',
      value: 'TYPE',
      unit: 'default: by the extension, else by the first bytes',
      description: 'Media type to store.',
    },
    { name: 'document', kind: 'text', value: 'ID', description: 'Store a single file as a new version of this document.' },
    { name: 'folder', kind: 'text', value: 'ID', description: 'Folder that new documents are to lie in.' },
    { name: 'again', kind: 'switch', description: 'Make new documents of files that an earlier run already stored.' },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar put scan.pdf', explanation: 'Store one file.' },
    { line: 'quasar put -r records/ --parallel 32', explanation: 'Store a folder, 32 files at a time.' },
    {
      line: 'quasar put -r scans/ --folder 0192f3a0-…',
      explanation: 'Store the scans of one case, under the rules of its folder.',
    },
    { line: 'tar c records | quasar put - --name records.tar', explanation: 'Store what a program prints.' },
    { line: 'quasar put *.tif --json', explanation: 'One JSON line per file: ids, digests, durability.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 6, 130],
  run: async (context) => (await import('./put-files.ts')).putFiles(context),
};
