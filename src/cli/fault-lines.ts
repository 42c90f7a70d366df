import { isQuasarError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** Notes what is wrong with metadata, one fault a line, and passes the error on; with --json its details say it. */
export function noteFaults(error: unknown, { flags, terminal }: CommandContext): unknown {
  if (isQuasarError(error) && !flags.switch('json')) {
    for (const line of faultLines(error.details.errors)) terminal.note(line);
  }
  return error;
}

/** `  /pointer: sentence (code)`; none for what is no list of faults. */
export function faultLines(errors: unknown): readonly string[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((fault) => {
    const { path, code, message } = record(fault);
    return printable(`  ${path === '' ? '(the whole)' : path}: ${message} (${code})`);
  });
}
