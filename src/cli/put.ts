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
    { name: 'as-version', kind: 'text', value: 'ID', description: 'Store a single file as the next version of this document.' },
    { name: 'document', kind: 'text', value: 'ID', description: 'An older name of --as-version.' },
    {
      name: 'update',
      kind: 'switch',
      description: 'Keep one document per path: a changed file becomes its next version, a new one a new document.',
    },
    { name: 'again', kind: 'switch', description: 'Store files once more that an earlier run stored, or began to store.' },
    { name: 'folder', kind: 'text', value: 'ID', description: 'Folder that new documents are to lie in.' },
    {
      name: 'size',
      kind: 'count',
      value: 'BYTES',
      unit: 'bytes',
      min: 0,
      max: limits.blobSizeMax,
      description: 'Store a single source only if it has exactly this size.',
    },
    { name: 'sha256', kind: 'text', value: 'HEX', description: 'Store a single source only if it has this SHA-256.' },
    { name: 'b3', kind: 'text', value: 'HEX', description: 'Store a single source only if it has this BLAKE3 (b3sum).' },
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
    {
      line: 'tar c records | quasar put - --name records.tar',
      explanation: 'Store what a program prints. The end of a pipe does not tell whether the program failed.',
    },
    {
      line: 'curl -s https://… | quasar put - --size 104857600 --sha256 9f86d0…',
      explanation: 'Store nothing unless all of it came: exit code 4 otherwise.',
    },
    {
      line: 'quasar put report.pdf --as-version 0192f3a1-…',
      explanation: 'Store a changed file as the next version of a document.',
    },
    {
      line: 'quasar put -r drafts/ --update',
      explanation: 'Run now and again: what changed becomes a version, what is new a document.',
    },
    { line: 'quasar put *.tif --json', explanation: 'One JSON line per file: ids, digests, durability.' },
  ],
  notes: [
    'A file is known by its content and the name it is stored under, not by where it lies or when it was',
    'written. Content that you stored under the same name and in the same folder within the last 7 days is not',
    'stored twice: "present" names its document, and that all of it was read and is whole. Equal files with two',
    'names are two documents.',
    '--update goes by the path instead: it notes the path on the document, as the external reference',
    'file:HOST:PATH, and finds the document by it for as long as it exists. Use it from the first run on. A file',
    'that was moved keeps its document; a copy beside its original gets one of its own.',
  ],
  exitCodes: [1, 2, 3, 4, 5, 6, 130],
  run: async (context) => (await import('./put-files.ts')).putFiles(context),
};
