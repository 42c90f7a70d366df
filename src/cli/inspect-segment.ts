import type { Command } from './command.ts';

export const inspectSegment: Command = {
  name: 'inspect-segment',
  purpose: 'Print what a segment file holds, and say in plain words what is wrong with a damaged one.',
  usage: 'FILE',
  arguments: [{ name: 'FILE', description: 'A segment file, of a running server too; it is only read.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    { name: 'summary', kind: 'switch', description: 'Leave the single records out; for large files.' },
    { name: 'quick', kind: 'switch', description: 'Do not re-hash contents: changed content is not noticed then.' },
    { name: 'json', kind: 'switch', description: 'Print one JSON object.' },
  ],
  examples: [
    {
      line: 'quasar inspect-segment data/node/seg/0000000000000001.seg',
      explanation: 'Superblock, batches with their records and commit frames, footer, faults.',
    },
    {
      line: 'quasar inspect-segment --summary --quick data/node/seg/0000000000000001.seg',
      explanation: 'One line a batch, contents not hashed.',
    },
  ],
  exitCodes: [1, 2, 6],
  run: async (context) => (await import('./show-segment.ts')).showSegment(context),
};
