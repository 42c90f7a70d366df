import type { CommandContext } from './command.ts';
import { printPages } from './print-pages.ts';
import { printable } from './terminal.ts';
import { formatBytes } from './units.ts';
import { record } from './upload-client.ts';
import { documentPath } from './version-selector.ts';

/** `quasar versions`. */
export function listVersions(context: CommandContext): Promise<number> {
  return printPages(context, { path: `${documentPath(context.args[0] as string)}/versions`, line: versionLine });
}

function versionLine(item: unknown): string {
  const { versionId, createdAt, size, labels, reason } = record(item);
  const bytes = typeof size === 'number' ? formatBytes(size) : '';
  const names = Array.isArray(labels) && labels.length > 0 ? labels.join(',') : '-';
  return printable([versionId, createdAt, bytes.padStart(10), names, reason ?? ''].join('  ').trimEnd());
}
