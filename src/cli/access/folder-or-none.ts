import { type FolderId, parseId } from '../../core/ids.ts';

/** A folder, or `none`. @throws QuasarError `bad_parameter`. */
export function folderOrNone(text: string, name: string): FolderId | null {
  return text === 'none' ? null : parseId<FolderId>(text, name);
}
