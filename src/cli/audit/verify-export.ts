import { readFile } from 'node:fs/promises';
import { type LogReport, verifyLog } from '../../audit/verify-log.ts';
import type { CommandContext } from '../command.ts';
import { fileFault } from '../file-fault.ts';
import { usage } from '../flags.ts';
import { printable, type Terminal } from '../terminal.ts';
import { readExportLines } from './export-lines.ts';
import { readTrustedKeys } from './trusted-keys.ts';

/** `quasar audit verify`. */
export async function verifyExport({ args, flags, terminal, signal }: CommandContext): Promise<number> {
  const given = flags.text('key');
  if (given === undefined) throw usage('--key is missing: the public key of the log, kept from "quasar audit key".');
  const trusted = await readTrustedKeys(given);
  const kept = await Promise.all(flags.texts('checkpoint').map(readNote));
  const lines = readExportLines(args[0] as string, signal);
  const report = await verifyLog(lines, { trusted, kept, origin: trusted[0].name });
  if (flags.switch('json')) await terminal.printJson(report);
  else await printReport(report, terminal);
  return report.ok ? 0 : DAMAGED;
}

function readNote(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause) => {
    throw fileFault(cause, 'read', file);
  });
}

async function printReport(report: LogReport, terminal: Terminal): Promise<void> {
  const { ok, origin, size, root, signedSize, findings, findingCount } = report;
  for (const { kind, meaning } of findings) await terminal.print(printable(`${kind}: ${meaning}`));
  if (findingCount > findings.length) await terminal.print(`and ${findingCount - findings.length} more`);
  if (!ok) {
    await terminal.print(printable(`${origin ?? 'the export'} is damaged: ${findingCount} findings`));
    return;
  }
  await terminal.print(printable(`${origin} is whole: ${size} events, ${signedSize} of them signed, root ${root}`));
}

const DAMAGED = 6;
