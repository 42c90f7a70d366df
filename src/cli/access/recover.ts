import { jsonFlag } from '../client-flags.ts';
import type { Command } from '../command.ts';

export interface RecoverFlags {
  readonly data: string | undefined;
  readonly config: string | undefined;
  readonly org: string | undefined;
  readonly out: string | undefined;
  readonly reason: string | undefined;
}

type Facts = Readonly<Record<string, unknown>>;

/** Makes a key by `make` and writes it to a new file; the facts come back without it. */
export type KeepRecovered = (path: string, make: () => Promise<Facts>) => Promise<Facts>;

/** Opens the stopped server's database; a role, which main.ts hands in. */
export type Recover = (flags: RecoverFlags, keep: KeepRecovered) => Promise<Facts>;

export function recoverCommand(recover: Recover): Command {
  return {
    name: 'access recover',
    purpose: 'Make a new administrator and a key for an organisation that nobody can administer any more; the server is stopped.',
    usage: '',
    arguments: [],
    argumentCount: { min: 0, max: 0 },
    flags: [
      {
        name: 'data',
        kind: 'text',
        value: 'DIR',
        unit: 'default: quasar.conf, else ./data',
        description: 'Data folder of the server, which must be stopped.',
      },
      {
        name: 'config',
        kind: 'text',
        value: 'DIR',
        unit: 'default: /etc/quasar/config if present, else none',
        description: 'The folder the server reads its *.conf files and secrets from.',
      },
      {
        name: 'org',
        kind: 'text',
        value: 'ORG',
        unit: "default: the operator's",
        description: 'Id or name of the organisation.',
      },
      {
        name: 'out',
        kind: 'text',
        value: 'FILE',
        unit: 'default: secrets/recovered-key in the data folder',
        description: 'Write the key to this new file, for its owner alone.',
      },
      { name: 'reason', kind: 'text', value: 'TEXT', description: 'Who recovers, and why; kept in the audit log for ever.' },
      jsonFlag,
    ],
    examples: [
      {
        line: 'quasar access recover --data ./data --reason "J. Doe: all keys lost in the move"',
        explanation: "Of the operator's organisation.",
      },
      {
        line: 'quasar access recover --data ./data --org "Court of Kassel" --out kassel.key',
        explanation: 'Of a tenant; it is in the audit log of both.',
      },
    ],
    exitCodes: [1, 2, 3, 5],
    run: async (context) => (await import('./recover-access.ts')).recoverAccess(context, recover),
  };
}
