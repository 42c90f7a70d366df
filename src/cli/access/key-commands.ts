import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { Command } from '../command.ts';
import { listFlags } from '../list-flags.ts';
import { keyOutFlag } from './key-out-flag.ts';

const keyLs: Command = {
  name: 'key ls',
  purpose: 'List keys, revoked ones too; never their text.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    { name: 'principal', kind: 'text', value: 'ID', description: 'Only those of this principal; me for your own.' },
    ...listFlags('keys'),
    jsonFlag,
    ...serverFlags,
  ],
  examples: [{ line: 'quasar key ls --principal me', explanation: 'Id, principal, last use, end, name.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./list-keys.ts')).listKeys(context),
};

const keyCreate: Command = {
  name: 'key create',
  purpose: 'Make a key and print it: this once, then never again.',
  usage: 'NAME',
  arguments: [{ name: 'NAME', description: 'What it is for, at most 200 characters.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    { name: 'principal', kind: 'text', value: 'ID', unit: 'default: me', description: 'Who acts when the key is shown.' },
    {
      name: 'scope',
      kind: 'text',
      value: 'ACTIONS',
      unit: 'default: all you have yourself',
      description: 'Capabilities with commas between them, the most the key is good for.',
    },
    { name: 'expires', kind: 'text', value: 'TIME', unit: 'like 2027-01-01T00:00:00Z', description: 'Good until then only.' },
    keyOutFlag,
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar key create desk --principal 0192f3a1-… --out clerk.key', explanation: 'For --key-file and QUASAR_KEY_FILE.' },
    { line: 'quasar key create viewer --scope doc.read,blob.read', explanation: 'Your own, for a program that only reads.' },
  ],
  exitCodes: [1, 2, 3, 4, 5, 130],
  run: async (context) => (await import('./create-key.ts')).createKey(context),
};

const keyRevoke: Command = {
  name: 'key revoke',
  purpose: 'Refuse a key from now on, for good.',
  usage: 'KEY',
  arguments: [{ name: 'KEY', description: 'Id of a key, as "quasar key ls" shows it; not its text.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar key revoke 0192f3a1-…', explanation: 'Holds within a second.' }],
  exitCodes: [1, 2, 3, 5, 130],
  run: async (context) => (await import('./revoke-key.ts')).revokeKey(context),
};

export const keyCommands: readonly Command[] = [keyLs, keyCreate, keyRevoke];
