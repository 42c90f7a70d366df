import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';
import { selectorFlags } from './version-selector.ts';

export const stat: Command = {
  name: 'stat',
  purpose: 'Show what the server knows of a document, a blob or an upload.',
  usage: 'DOCUMENT | KEY | UPLOAD',
  arguments: [
    { name: 'DOCUMENT', description: 'Id of a document: its versions too, or only the one of --version, --label or --as-of.' },
    { name: 'KEY', description: 'Key of a blob: b3: and 64 hex digits.' },
    { name: 'UPLOAD', description: 'Id of an upload: how far it has come.' },
  ],
  argumentCount: { min: 1, max: 1 },
  flags: [...selectorFlags, jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar stat 0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d', explanation: 'A document and its versions.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./show-facts.ts')).showFacts(context),
};
