import { capabilities } from './capability.ts';

/**
 * What an audit event can be about. Lists are append-only: names stay for ever, because events with them do. A reader that
 * does not know a name was written before the log's writer, and says so.
 */

/** A capability that was asked for, or a change that was made. */
export const auditActions = [
  // decisions, by the capability they were about
  ...capabilities,
  // who asked, before anything was asked for
  'session.authenticate',
  // changes
  'upload.create',
  'upload.cancel',
  'document.create',
  'document.move',
  'document.dispose',
  'version.create',
  'label.move',
  'label.remove',
  'reference.add',
  'reference.remove',
  'metadata.replace',
  'metadata.patch',
  'metadata.migrate',
  'metadata.quarantine',
  'schema.create',
  'schema.activate',
  'schema.deprecate',
  'schema.revoke',
  'migration.create',
  'hold.set',
  'hold.release',
  'retention.set',
  'acl.set',
  'org.create',
  'org.delete',
  'principal.create',
  'principal.suspend',
  'principal.resume',
  'principal.delete',
  'group.create',
  'group.delete',
  'group.add',
  'group.remove',
  'folder.create',
  'folder.delete',
  'key.create',
  'key.revoke',
  'token.revoke',
  'log.export',
  'principal.change',
  'folder.move',
  'org.resume',
  'org.recover',
] as const;

export type AuditAction = (typeof auditActions)[number];

/** What it was done to. */
export const auditResourceKinds = [
  'document',
  'blob',
  'upload',
  'folder',
  'org',
  'principal',
  'group',
  'key',
  'token',
  'namespace',
  'schema',
  'migration',
  'job',
  'log',
  'cluster',
] as const;

export type AuditResourceKind = (typeof auditResourceKinds)[number];

/** Who did it: people and service accounts by their id; the system's own parts and callers nobody knows by a name. */
export const auditPrincipalKinds = ['user', 'service_account', 'system', 'anonymous'] as const;

export type AuditPrincipalKind = (typeof auditPrincipalKinds)[number];
