import type { Command } from './command.ts';

export const inspectSegment: Command = {
  name: 'inspect-segment',
  purpose: 'Print what a segment file holds, and say in plain words what is wrong with a damaged one.',
  usage: 'FILE',
  arguments: [{ name: 'FILE', description: 'A segment file, of a running server too; it is only read.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    { name: 'records', kind: 'switch', description: 'List single records, not only batches.' },
    { name: 'quick', kind: 'switch', description: 'Do not re-hash contents: changed content is not noticed then.' },
    { name: 'json', kind: 'switch', description: 'Print one JSON object.' },
  ],
  examples: [
    { line: 'quasar inspect-segment data/node/seg/0000000000000001.seg', explanation: 'Superblock, batches, footer, faults.' },
  ],
  exitCodes: [1, 2, 6],
  run: async (context) => (await import('./show-segment.ts')).showSegment(context),
};
