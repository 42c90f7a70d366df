import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { listFlags } from './list-flags.ts';
import { reasonFlag } from './reason-flag.ts';

export const label: Command = {
  name: 'label',
  purpose: 'Move a label of a document to a version, or list where it stood.',
  usage: 'DOCUMENT LABEL VERSION | DOCUMENT LABEL --moves',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document.' },
    { name: 'LABEL', description: 'A name such as sealed; CURRENT is what readers get by default.' },
    { name: 'VERSION', description: 'Id of the version the label is to stand at.' },
  ],
  argumentCount: { min: 2, max: 3 },
  flags: [
    {
      name: 'expect',
      kind: 'text',
      value: 'VERSION',
      unit: 'default: where it stands when the command looks',
      description: 'Move it only from this version, or from none: a new label.',
    },
    reasonFlag,
    { name: 'moves', kind: 'switch', description: 'List where the label stood, latest first.' },
    ...listFlags('moves'),
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    {
      line: 'quasar label 0192f3a1-… sealed 0192f3a7-… --expect none --reason "Order of the court"',
      explanation: 'Set a label that must not be there yet.',
    },
    { line: 'quasar label 0192f3a1-… sealed --moves', explanation: 'Who moved it, when, why.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  async run(context) {
    if (context.flags.switch('moves')) return (await import('./list-label-moves.ts')).listLabelMoves(context);
    return (await import('./move-label.ts')).moveLabel(context);
  },
};
