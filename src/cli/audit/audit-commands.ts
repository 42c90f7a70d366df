import { jsonFlag, serverFlags } from '../client-flags.ts';
import type { Command, FlagSpec } from '../command.ts';
import { listFlags } from '../list-flags.ts';

const aboutFlags: readonly FlagSpec[] = [
  { name: 'document', kind: 'text', value: 'ID', description: 'Only what was about this document.' },
  { name: 'principal', kind: 'text', value: 'ID', description: 'Only what this principal did.' },
  { name: 'action', kind: 'text', value: 'ACTION', description: 'Only this action, such as doc.read or label.move.' },
];

const keyFlag: FlagSpec = {
  name: 'key',
  kind: 'text',
  value: 'KEY|FILE',
  description:
    'The public key of the log as "quasar audit key" prints it, or a file with it; keys of witnesses in further lines.',
};

const auditLs: Command = {
  name: 'audit ls',
  purpose: 'List what happened, latest first.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    ...aboutFlags,
    {
      name: 'from',
      kind: 'text',
      value: 'TIME',
      unit: 'like 2026-11-21T09:00:00Z',
      description: 'Only what happened then or later.',
    },
    { name: 'until', kind: 'text', value: 'TIME', description: 'Only what happened before.' },
    ...listFlags('events'),
    jsonFlag,
    ...serverFlags,
  ],
  examples: [
    { line: 'quasar audit ls --document 0192f3a1-…', explanation: 'Who read or changed a document.' },
    { line: 'quasar audit ls --action acl.set --from 2026-11-01T00:00:00Z --all --json', explanation: 'Every change of rules.' },
  ],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./list-events.ts')).listEvents(context),
};

const auditTail: Command = {
  name: 'audit tail',
  purpose: 'Print what happens, as it is numbered, until it is interrupted.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    ...aboutFlags,
    {
      name: 'lines',
      kind: 'count',
      value: 'N',
      default: 10,
      min: 0,
      max: 1000,
      unit: 'events',
      description: 'Begin with the last ones.',
    },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [{ line: 'quasar audit tail --json', explanation: 'For a collector; Ctrl-C ends it.' }],
  exitCodes: [1, 2, 5],
  run: async (context) => (await import('./tail-events.ts')).tailEvents(context),
};

const auditExport: Command = {
  name: 'audit export',
  purpose: 'Write the log into a file, up to its last signed head, to be verified off line.',
  usage: 'FILE',
  arguments: [{ name: 'FILE', description: 'Appears when it is complete; - is standard output.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    {
      name: 'unsigned',
      kind: 'switch',
      description: 'With what happened since the last head was signed, at most some seconds ago; nothing proves that part yet.',
    },
    jsonFlag,
    ...serverFlags,
  ],
  examples: [{ line: 'quasar audit export log.ndjson', explanation: 'That it was exported is in the log.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./export-log.ts')).exportLog(context),
};

const auditVerify: Command = {
  name: 'audit verify',
  purpose: 'Verify an exported log off line, and name everything that is wrong with it.',
  usage: 'EXPORT --key KEY|FILE',
  arguments: [{ name: 'EXPORT', description: 'A file of "quasar audit export".' }],
  argumentCount: { min: 1, max: 1 },
  flags: [
    keyFlag,
    {
      name: 'checkpoint',
      kind: 'text',
      value: 'FILE',
      many: true,
      description:
        'A checkpoint that was kept elsewhere; may be given several times. Without one a log rewritten with its own key looks whole.',
    },
    {
      name: 'allow-unsigned',
      kind: 'count',
      value: 'N',
      default: 0,
      min: 0,
      unit: 'events',
      description:
        'For an export with the events of the last seconds (audit export --unsigned): so many behind the last signed head may be unproven. A log without any signature is never whole.',
    },
    jsonFlag,
  ],
  examples: [
    { line: 'quasar audit verify log.ndjson --key log.key --checkpoint kept.txt', explanation: 'No server, no database.' },
  ],
  exitCodes: [1, 2, 6, 7, 130],
  run: async (context) => (await import('./verify-export.ts')).verifyExport(context),
};

const auditKey: Command = {
  name: 'audit key',
  purpose: "Print the public key of the org's log.",
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [...serverFlags],
  examples: [{ line: 'quasar audit key > log.key', explanation: 'Keep it where the server cannot change it.' }],
  exitCodes: [1, 2, 5, 130],
  run: async (context) => (await import('./show-key.ts')).showKey(context),
};

const auditCheckpoint: Command = {
  name: 'audit checkpoint',
  purpose: 'Print the signed head of the log, or keep it where the server cannot change it.',
  usage: '',
  arguments: [],
  argumentCount: { min: 0, max: 0 },
  flags: [
    {
      name: 'keep',
      kind: 'text',
      value: 'FILE',
      description: 'Write it there, once the server has proved that the log only grew since the one FILE holds.',
    },
    keyFlag,
    ...serverFlags,
  ],
  examples: [{ line: 'quasar audit checkpoint --keep kept.txt --key log.key', explanation: 'Every day, on another machine.' }],
  exitCodes: [1, 2, 3, 5, 6, 130],
  run: async (context) => (await import('./show-checkpoint.ts')).showCheckpoint(context),
};

const auditProof: Command = {
  name: 'audit proof',
  purpose: 'Show that an event is in the log whose head was signed, and check the proof here.',
  usage: 'LEAF',
  arguments: [{ name: 'LEAF', description: 'Number of the event, from 0.' }],
  argumentCount: { min: 1, max: 1 },
  flags: [keyFlag, jsonFlag, ...serverFlags],
  examples: [{ line: 'quasar audit proof 4711 --key log.key --json', explanation: 'Event, proof and signed head, to hand on.' }],
  exitCodes: [1, 2, 3, 5, 6, 130],
  run: async (context) => (await import('./prove-event.ts')).proveEvent(context),
};

export const auditCommands: readonly Command[] = [
  auditLs,
  auditTail,
  auditExport,
  auditVerify,
  auditKey,
  auditCheckpoint,
  auditProof,
];
