import { jsonFlag } from './client-flags.ts';
import type { Command } from './command.ts';

export const configCheck: Command = {
  name: 'config check',
  purpose: 'Read the configuration, tell every fault, and show what the program would run with.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    {
      name: 'config',
      kind: 'text',
      value: 'DIR',
      unit: 'default: /etc/quasar/config if present, else none',
      description: 'Folder with *.conf files and secrets.',
    },
    jsonFlag,
  ],
  examples: [{ line: 'quasar config check --config ./config', explanation: 'Before a restart.' }],
  exitCodes: [1, 2],
  run: async (context) => (await import('./check-config.ts')).checkConfig(context),
};
