import { newApiKey } from '../../src/access/api-key.ts';
import type { NewFolder } from '../../src/access/folder-store.ts';
import type { NewKey } from '../../src/access/key-store.ts';
import { PostgresFolderStore } from '../../src/access/postgres-folder-store.ts';
import { PostgresGroupStore } from '../../src/access/postgres-group-store.ts';
import { PostgresKeyStore } from '../../src/access/postgres-key-store.ts';
import { PostgresOrgStore } from '../../src/access/postgres-org-store.ts';
import { PostgresPrincipalStore } from '../../src/access/postgres-principal-store.ts';
import { PostgresRevocationStore } from '../../src/access/postgres-revocation-store.ts';
import { PostgresRuleStore } from '../../src/access/postgres-rule-store.ts';
import type { NewPrincipal } from '../../src/access/principal-store.ts';
import type { AccessRule, SubjectId } from '../../src/access/rule.ts';
import type { Actor } from '../../src/core/actor.ts';
import { type Capability, capabilitySet } from '../../src/core/capability.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, type FolderId, type GroupId, newId, type PrincipalId, type RuleId } from '../../src/core/ids.ts';
import type { ConnectionPool } from '../../src/database/transaction.ts';

export const NOW = Date.UTC(2030, 0, 2);
export const ALL = { limit: 1000, after: undefined } as const;

/** All that keeps who may. */
export function accessStores(pool: ConnectionPool) {
  return {
    principals: new PostgresPrincipalStore(pool),
    orgs: new PostgresOrgStore(pool),
    groups: new PostgresGroupStore(pool),
    folders: new PostgresFolderStore(pool),
    rules: new PostgresRuleStore(pool),
    keys: new PostgresKeyStore(pool),
    revocations: new PostgresRevocationStore(pool),
  };
}

export function newPrincipal(name: string, more: Partial<NewPrincipal> = {}): NewPrincipal {
  const principalId = newId<PrincipalId>(systemClock);
  return { principalId, kind: 'user', name, subject: `subject of ${name}`, roles: [], atMs: NOW, ...more };
}

export function newGroup(name: string) {
  return { groupId: newId<GroupId>(systemClock), name, atMs: NOW };
}

export function newFolder(more: Partial<NewFolder> = {}): NewFolder {
  const folderId = newId<FolderId>(systemClock);
  return { folderId, parentId: undefined, name: 'Smith v. Jones', caseNumber: '24-CV-1', atMs: NOW, ...more };
}

export function newKey(principalId: PrincipalId, more: Partial<NewKey> = {}): NewKey {
  const { id: keyId } = newApiKey(systemClock);
  const mac = Buffer.alloc(32, 7);
  return { keyId, principalId, name: 'a key', scope: capabilitySet('doc.read'), mac, expiresAtMs: undefined, atMs: NOW, ...more };
}

export function newRule(effect: AccessRule['effect'], actions: readonly Capability[], ...principals: SubjectId[]): AccessRule {
  return { id: newId<RuleId>(systemClock), effect, actions: capabilitySet(...actions), principals };
}

/** One row at least in every table of migrations/000009-access.sql, and the document in a folder. */
export async function fillAccess(pool: ConnectionPool, by: Actor, documentId: DocumentId): Promise<void> {
  const { groups, folders, rules, keys, revocations } = accessStores(pool);
  const [inner, outer] = [newGroup('inner'), newGroup('outer')];
  for (const group of [inner, outer]) await groups.createGroup(by, group);
  await groups.addMember(by, inner.groupId, { kind: 'principal', id: by.principalId });
  await groups.addMember(by, outer.groupId, { kind: 'group', id: inner.groupId });
  const folder = newFolder();
  await folders.createFolder(by, folder);
  await folders.placeDocument(by, documentId, folder.folderId);
  const wish = { rules: [newRule('allow', ['doc.read'], outer.groupId)], expectedVersion: 0, atMs: NOW };
  await rules.replaceRules(by, { kind: 'document', documentId }, wish);
  await keys.createKey(by, newKey(by.principalId));
  await revocations.revokeToken(by, { jti: 'token', untilMs: NOW + 1, atMs: NOW });
}
