import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { DocumentId, FolderId, Scope } from '../core/ids.ts';

export interface NewFolder {
  readonly folderId: FolderId;
  /** Undefined: an outermost one. */
  readonly parentId: FolderId | undefined;
  /** 1 to 200 characters; may repeat. */
  readonly name: string;
  /** 1 to 200 characters; may repeat. */
  readonly caseNumber: string | undefined;
  readonly atMs: number;
}

export interface Folder {
  readonly folderId: FolderId;
  readonly parentId: FolderId | undefined;
  readonly name: string;
  readonly caseNumber: string | undefined;
  readonly createdAtMs: number;
}

/** `cycle`: the folder would be within itself. `too_deep`: more than `limits.folderDepthMax` within each other. */
export type FolderMoveOutcome = 'moved' | 'unchanged' | 'folder_missing' | 'parent_missing' | 'cycle' | 'too_deep';

/** Folders around documents: their rules hold for all that is within. What another org has is missing here. Changes are noted. */
export interface FolderStore {
  createFolder(by: Actor, folder: NewFolder): Promise<'created' | 'parent_missing' | 'too_deep'>;
  /** With all that is within. */
  moveFolder(by: Actor, folderId: FolderId, parentId: FolderId | undefined): Promise<FolderMoveOutcome>;
  /** Its rules are kept as history. */
  deleteFolder(by: Actor, folderId: FolderId): Promise<'deleted' | 'folder_missing' | 'folder_not_empty'>;
  findFolder(scope: Scope, folderId: FolderId): Promise<Folder | undefined>;
  /** Those right within `parentId`, or the outermost; by id. `after` is a `next` of an earlier page. */
  listFolders(
    scope: Scope,
    parentId: FolderId | undefined,
    options: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<Folder>>;
  /** Undefined: into none. */
  placeDocument(
    by: Actor,
    documentId: DocumentId,
    folderId: FolderId | undefined,
    guard?: DocumentGuard | undefined,
  ): Promise<'placed' | 'unchanged' | 'document_missing' | 'folder_missing'>;
}
