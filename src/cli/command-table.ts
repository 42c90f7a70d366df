import { acceptDisk } from './accept-disk.ts';
import { acceptLossCommand } from './accept-loss.ts';
import { accessExplain } from './access/access-explain.ts';
import { aclCommands } from './access/acl-commands.ts';
import { folderCommands } from './access/folder-commands.ts';
import { groupCommands } from './access/group-commands.ts';
import { keyCommands } from './access/key-commands.ts';
import { orgCommands } from './access/org-commands.ts';
import { principalCommands } from './access/principal-commands.ts';
import { type Recover, recoverCommand } from './access/recover.ts';
import { tokenRevoke } from './access/token-revoke.ts';
import { auditCommands } from './audit/audit-commands.ts';
import type { Command } from './command.ts';
import { configCheck } from './config-check.ts';
import { dispose } from './dispose.ts';
import { get } from './get.ts';
import { hold } from './hold.ts';
import { inspectSegment } from './inspect-segment.ts';
import { label } from './label.ts';
import { ls } from './ls.ts';
import { metaGet } from './meta-get.ts';
import { metaPatch } from './meta-patch.ts';
import { metaPut } from './meta-put.ts';
import { put } from './put.ts';
import { retain } from './retain.ts';
import { schemaAdd } from './schema-add.ts';
import { schemaLifecycle } from './schema-lifecycle.ts';
import { schemaLs } from './schema-ls.ts';
import { schemaShow } from './schema-show.ts';
import { stat } from './stat.ts';
import { type UpFlags, upCommand } from './up.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';
import { versions } from './versions.ts';

/** What main.ts starts but this folder must not know. */
export interface Roles {
  readonly up: (flags: UpFlags) => Promise<number>;
  readonly recover: Recover;
}

/** Every command, in the order of the help. Only data is loaded here; what a command needs is imported when it runs. */
export function commandTable(roles: Roles): readonly Command[] {
  const content = [put, get, ls, stat];
  const records = [versions, label, metaGet, metaPut, metaPatch, schemaAdd, schemaLs, schemaShow, ...schemaLifecycle];
  const ends = [retain, hold, dispose];
  const subjects = [...orgCommands, ...principalCommands, ...groupCommands, ...keyCommands, tokenRevoke];
  const access = [...subjects, ...folderCommands, ...aclCommands, accessExplain, recoverCommand(roles.recover)];
  const operation = [verify, inspectSegment, acceptDisk, acceptLossCommand, configCheck, version];
  return [upCommand(roles.up), ...content, ...records, ...ends, ...access, ...auditCommands, ...operation];
}
