import { jsonFlag, serverFlags } from './client-flags.ts';
import type { Command } from './command.ts';

const steps = [
  { verb: 'activate', to: 'active', purpose: 'Begin to use a schema that is a draft.' },
  { verb: 'deprecate', to: 'deprecated', purpose: 'Pin no new metadata to a schema; what is pinned may still be patched.' },
  { verb: 'revoke', to: 'revoked', purpose: 'Take a schema out of use for good; what is pinned to it can only be read.' },
] as const;

/** One command for each step of a schema's life, which goes one way. */
export const schemaLifecycle: readonly Command[] = steps.map(({ verb, to, purpose }) => ({
  name: `schema ${verb}`,
  purpose,
  usage: 'URN',
  arguments: [{ name: 'URN', description: 'Such as urn:quasar:schema:case@1.0.0.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: `quasar schema ${verb} urn:quasar:schema:case@1.0.0`, explanation: 'Nothing goes back.' }],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./move-schema.ts')).moveSchema(context, to),
}));
