import { dataFlag, jsonFlag, orgFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { usage } from './flags.ts';
import { selectorFlags } from './version-selector.ts';

export const get: Command = {
  name: 'get',
  purpose: 'Read a document or blob back, whole or in part, and check that it is what was stored.',
  usage: 'DOCUMENT | KEY',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document: its current version, or the one of --version, --label or --as-of.' },
    { name: 'KEY', description: 'Key of a blob: b3: and 64 hex digits.' },
  ],
  argumentCount: { min: 1, max: 1 },
  flags: [
    {
      name: 'output',
      short: 'o',
      kind: 'text',
      value: 'FILE',
      unit: 'default: standard output',
      description:
        'Write here, and - for standard output; a file appears when it is complete, and an interrupted one is continued.',
    },
    {
      name: 'range',
      kind: 'text',
      value: 'A-B',
      unit: 'bytes',
      description: 'Only these bytes, both ends included; A- and -N work as in HTTP.',
    },
    ...selectorFlags,
    { name: 'segments', kind: 'switch', description: 'Restore from the segment files of --data, without server and database.' },
    { ...orgFlag, unit: 'with --segments' },
    dataFlag,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar get 0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d -o scan.pdf', explanation: 'Read a document into a file.' },
    { line: 'quasar get 0192f3a1-… --label sealed > sealed.pdf', explanation: 'The version a label stands at.' },
    { line: 'quasar get b3:… --range 0-65535 > head.bin', explanation: 'The first 64 KiB of a blob.' },
    { line: 'quasar get b3:… --segments --data ./data -o scan.pdf', explanation: 'When server and database are gone.' },
  ],
  notes: [
    'A file that FILE names keeps its mode and owner, and stays as it is until all is there, read back and compared.',
    'A symbolic link is followed. A device or a pipe is written into. A terminal is shown text only, unless -o - forces it.',
  ],
  exitCodes: [1, 2, 3, 4, 5, 6, 130],
  async run(context) {
    if (context.flags.switch('segments')) return (await import('./get-from-segments.ts')).getFromSegments(context);
    if (context.flags.has('org')) throw usage('--org goes with --segments; a server takes the organisation from the key.');
    return (await import('./get-content.ts')).getContent(context);
  },
};
