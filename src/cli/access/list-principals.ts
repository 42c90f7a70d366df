import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';
import { roleWords } from './role-words.ts';

/** `quasar principal ls`. */
export function listPrincipals(context: CommandContext): Promise<number> {
  return printPages(context, { path: '/v1/principals', line: principalLine });
}

function principalLine(item: unknown): string {
  const { principalId, kind, suspendedAt, roles, name } = record(item);
  const state = typeof suspendedAt === 'string' ? 'suspended' : 'active';
  return printable(`${principalId}  ${String(kind).padEnd(7)}  ${state.padEnd(9)}  ${roleWords(roles)}  ${name}`);
}
