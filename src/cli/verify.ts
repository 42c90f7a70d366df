import { dataFlag, jsonFlag, orgFlag } from './client-flags.ts';
import type { Command } from './command.ts';
import { usage } from './flags.ts';

export const verify: Command = {
  name: 'verify',
  purpose: 'Hash again what the segments hold, and name every document that is not whole.',
  usage: '[DOCUMENT | KEY]',
  arguments: [
    { name: 'DOCUMENT', description: 'Check only this document: its newest version, or the one of --version.' },
    { name: 'KEY', description: 'Check only this blob: b3: and 64 hex digits.' },
  ],
  argumentCount: { min: 0, max: 1 },
  flags: [
    { name: 'version', kind: 'text', value: 'ID', description: 'Check this version of the document.' },
    { ...orgFlag, unit: 'with DOCUMENT or KEY' },
    dataFlag,
    jsonFlag,
  ],
  examples: [
    { line: 'quasar verify --data ./data', explanation: 'Every record, then every manifest.' },
    { line: 'quasar verify b3:… --data ./data', explanation: 'One blob.' },
  ],
  exitCodes: [1, 2, 3, 4, 6, 130],
  async run(context) {
    const [target] = context.args;
    if (target === undefined && context.flags.has('org')) throw usage('--org goes with a DOCUMENT or a KEY.');
    if (target === undefined) return (await import('./verify-all.ts')).verifyAll(context);
    return (await import('./verify-blob.ts')).verifyBlob(context, target);
  },
};
