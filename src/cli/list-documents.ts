import type { CommandContext } from './command.ts';
import { printPages } from './print-pages.ts';
import { printable } from './terminal.ts';
import { formatBytes } from './units.ts';
import { record } from './upload-client.ts';

/** `quasar ls` from a server. */
export function listDocuments(context: CommandContext): Promise<number> {
  return printPages(context, { path: '/v1/documents', line: documentLine });
}

function documentLine(item: unknown): string {
  const { documentId, updatedAt, current } = record(item);
  const { size, filename, contentType } = record(current);
  const bytes = typeof size === 'number' ? formatBytes(size) : '';
  return printable([documentId, updatedAt, bytes.padStart(10), filename ?? contentType].join('  '));
}
