import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { Command } from '../command.ts';

export const tokenRevoke: Command = {
  name: 'token revoke',
  purpose: 'Refuse a token of your identity provider from now on; keys are revoked by "quasar key revoke".',
  usage: 'JTI EXPIRES',
  arguments: [
    { name: 'JTI', description: 'Its id, the claim "jti"; not the token itself.' },
    { name: 'EXPIRES', description: 'When it ends by itself, the claim "exp" as a time like 2026-11-21T09:00:00Z.' },
  ],
  argumentCount: { min: 2, max: 2 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar token revoke 7f2c1d 2026-11-21T18:00:00Z', explanation: 'Also before it was first shown here.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./revoke-token.ts')).revokeToken(context),
};
