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
  const unsignedMax = flags.count('allow-unsigned') ?? 0;
  const report = await verifyLog(lines, { trusted, kept, origin: trusted[0].name, unsignedMax });
  if (flags.switch('json')) await terminal.printJson(report);
  else await printReport(report, terminal);
  return EXIT_CODE[report.verdict];
}

function readNote(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause) => {
    throw fileFault(cause, 'read', file);
  });
}

async function printReport(report: LogReport, terminal: Terminal): Promise<void> {
  const { verdict, origin, size, root, signedSize, signedAt, unsigned, findings, findingCount } = report;
  for (const { kind, meaning } of findings) await terminal.print(printable(`${kind}: ${meaning}`));
  if (findingCount > findings.length) await terminal.print(`and ${findingCount - findings.length} more`);
  const name = origin ?? 'the export';
  const proved = `${size} events, ${signedSize} of them signed`;
  const head = signedAt === undefined ? '' : `; the last head that fits was signed at ${signedAt}`;
  if (verdict === 'damaged') await terminal.print(printable(`${name} is damaged: ${findingCount} findings`));
  else if (verdict === 'unproven')
    await terminal.print(printable(`${name} is unproven: ${proved}, the others may be anybody's${head}`));
  else {
    const rest = unsigned === 0 ? '' : `; ${unsigned} behind it are not proved, as --allow-unsigned allows`;
    await terminal.print(printable(`${name} is whole: ${proved}, root ${root}${head}${rest}`));
  }
}

const EXIT_CODE = { whole: 0, damaged: 6, unproven: 7 } as const;
