import { type FolderId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import { printPages } from '../print-pages.ts';
import { printable } from '../terminal.ts';
import { record } from '../upload-client.ts';

/** `quasar folder ls`. */
export function listFolders(context: CommandContext): Promise<number> {
  const [parent] = context.args;
  const query = parent === undefined ? '' : `?parent=${parseId<FolderId>(parent, 'FOLDER')}`;
  return printPages(context, { path: `/v1/folders${query}`, line: folderLine });
}

function folderLine(item: unknown): string {
  const { folderId, createdAt, name, caseNumber } = record(item);
  return printable(`${folderId}  ${createdAt}  ${name}${typeof caseNumber === 'string' ? `  (${caseNumber})` : ''}`);
}
