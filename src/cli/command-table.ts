import { acceptDisk } from './accept-disk.ts';
import type { Command } from './command.ts';
import { configCheck } from './config-check.ts';
import { get } from './get.ts';
import { inspectSegment } from './inspect-segment.ts';
import { ls } from './ls.ts';
import { put } from './put.ts';
import { stat } from './stat.ts';
import { type UpFlags, upCommand } from './up.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';

/** What main.ts starts but this folder must not know. */
export interface Roles {
  readonly up: (flags: UpFlags) => Promise<number>;
}

/** Every command, in the order of the help. Only data is loaded here; what a command needs is imported when it runs. */
export function commandTable(roles: Roles): readonly Command[] {
  return [upCommand(roles.up), put, get, ls, stat, verify, inspectSegment, acceptDisk, configCheck, version];
}
