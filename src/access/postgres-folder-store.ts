import type { Page } from '../catalog/catalog.ts';
import type { Actor } from '../core/actor.ts';
import type { DocumentGuard } from '../core/document-guard.ts';
import type { DocumentId, FolderId, Scope } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { ConnectionPool } from '../database/transaction.ts';
import type { Folder, FolderMoveOutcome, FolderStore, NewFolder } from './folder-store.ts';
import { askChange, askGuardedChange, pageOf } from './postgres-rows.ts';

interface FolderRow {
  readonly id: FolderId;
  readonly parent_id: FolderId | null;
  readonly name: string;
  readonly case_number: string | null;
  readonly created_at_ms: number;
}

/** The functions of migrations/000009-access.sql, one round trip each. */
export class PostgresFolderStore implements FolderStore {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  createFolder(by: Actor, folder: NewFolder): Promise<'created' | 'parent_missing' | 'too_deep'> {
    const { folderId, parentId, name, caseNumber, atMs } = folder;
    const [parent, number] = [parentId ?? null, caseNumber ?? null];
    return askChange(this.#pool, by, {
      call: 'quasar.create_folder($1, $2, $3, $4, $5, $6, $7, $8)',
      values: [by.orgId, by.principalId, folderId, parent, name, number, limits.folderDepthMax, atMs],
      when: ['created'],
      deed: {
        action: 'folder.create',
        resource: { kind: 'folder', id: folderId },
        detail: { name, parentId: parent, caseNumber: number },
      },
    });
  }

  moveFolder(by: Actor, folderId: FolderId, parentId: FolderId | undefined): Promise<FolderMoveOutcome> {
    const parent = parentId ?? null;
    return askChange(this.#pool, by, {
      call: 'quasar.move_folder($1, $2, $3, $4)',
      values: [by.orgId, folderId, parent, limits.folderDepthMax],
      when: ['moved'],
      deed: { action: 'folder.move', resource: { kind: 'folder', id: folderId }, detail: { parentId: parent } },
    });
  }

  deleteFolder(by: Actor, folderId: FolderId): Promise<'deleted' | 'folder_missing' | 'folder_not_empty'> {
    return askChange(this.#pool, by, {
      call: 'quasar.delete_folder($1, $2)',
      values: [by.orgId, folderId],
      when: ['deleted'],
      deed: { action: 'folder.delete', resource: { kind: 'folder', id: folderId } },
    });
  }

  async findFolder(scope: Scope, folderId: FolderId): Promise<Folder | undefined> {
    const text = 'SELECT * FROM quasar.find_folder($1, $2)';
    const { rows } = await this.#pool.query<FolderRow>(text, [scope.orgId, folderId]);
    return rows[0] && toFolder(rows[0]);
  }

  async listFolders(
    scope: Scope,
    parentId: FolderId | undefined,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<Page<Folder>> {
    const values = [scope.orgId, parentId ?? null, after ?? null, limit + 1];
    const { rows } = await this.#pool.query<FolderRow>('SELECT * FROM quasar.list_folders($1, $2, $3, $4)', values);
    return pageOf(rows, limit, toFolder);
  }

  placeDocument(
    by: Actor,
    documentId: DocumentId,
    folderId: FolderId | undefined,
    guard?: DocumentGuard,
  ): Promise<'placed' | 'unchanged' | 'document_missing' | 'folder_missing'> {
    const into = folderId ?? null;
    const change = {
      call: 'quasar.place_document($1, $2, $3)',
      values: [by.orgId, documentId, into],
      when: ['placed'],
      deed: { action: 'document.move', resource: { kind: 'document', id: documentId }, detail: { folderId: into } },
    } as const;
    return askGuardedChange(this.#pool, by, change, guard);
  }
}

function toFolder({ id, parent_id, name, case_number, created_at_ms }: FolderRow): Folder {
  return {
    folderId: id,
    parentId: parent_id ?? undefined,
    name,
    caseNumber: case_number ?? undefined,
    createdAtMs: created_at_ms,
  };
}
